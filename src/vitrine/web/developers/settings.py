"""The settings page of an application and its choices (contract 07 P5; 01 section 9)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, UserId
from vitrine.applications import (
    LIST_SHAPES,
    Application,
    Policy,
    Switch,
    Switches,
    kind_of,
    machines,
)
from vitrine.applications.model import Secret
from vitrine.applications.secret_views import RotationOffer
from vitrine.edge import listing, services_of, write
from vitrine.errors import Invalid
from vitrine.oauth.personal_tokens import NamedToken
from vitrine.oauth.scopes import EVERYTHING, described
from vitrine.platform.database import UnitOfWork
from vitrine.web.developers.application import APPLICATION, application_id, back_to
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import is_xhr, known, posted, xhr
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page, said

AUTHORIZE, TOKEN = "/api/oauthv2/authorize", "/api/oauthv2/token"
# The settings page has one more choice, which is not deprecated: acting without a person.
DEPRECATED_FEATURE_TEXTS = (Switch.IMPLICIT, Switch.PARAMETER_TOKEN, Switch.SECRET_REQUIRED, Switch.ENDLESS_TOKEN)
_ON = frozenset({"1", "true", "on", "yes"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the settings page shows. Secrets are there only when they were just revealed. *acts_for*: whom the
    application acts for by its secret alone; *keeps_secret*: the one who looks may see and replace that secret."""

    application: Application
    secret: Any
    token: Any
    is_mine: bool
    revealed_secret: str | None = None
    revealed_token: str | None = None
    revealed_named: str | None = None
    acts_for: UserId | None = None
    keeps_secret: bool = True
    secrets: tuple[Secret, ...] = ()
    tokens: tuple[NamedToken, ...] = ()
    offers: tuple[RotationOffer, ...] = ()
    has_acting_owner: bool = False
    is_new_secret: bool = False

    @property
    def old_secret_expires(self) -> datetime | None:
        """When the secret before the newest one ends; None if none is left."""
        return max((secret.expires for secret in self.secrets if secret.expires is not None), default=None)


async def settings(request: Request) -> Response:
    return await settings_page(request, await facts(request))


async def facts(request: Request, *, is_new_secret: bool = False, **revealed: str | None) -> Facts:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Facts:
        application = services.applications.registry.get(work, actor, application_id(request))
        return Facts(
            application=application,
            acts_for=machines.acts_for(work, application),
            keeps_secret=machines.may_see_secret(work, actor, application),
            secret=services.applications.secrets.current(work, actor, application.id),
            token=services.oauth.developer_tokens.current(work, actor, application),
            is_mine=services.applications.consents.account(work, actor.must_user_id, application) is not None,
            secrets=tuple(services.applications.secrets.live(work, actor, application.id)),
            tokens=tuple(services.oauth.personal_tokens.all(work, actor, application)),
            offers=tuple(services.applications.secrets.offers(work, actor, application.id)),
            has_acting_owner=services.applications.registry.acting_account(work, application)[0] is not None,
            is_new_secret=is_new_secret,
            **revealed,
        )

    return await listing(request, known, call)


async def settings_page(
    request: Request,
    known_facts: Facts,
    *,
    fault: str = "",
    callback: str | None = None,
    redirect_fault: tuple[str, str, str] | None = None,
    token_fault: str = "",
    token_given: dict[str, str] | None = None,
    state_fault: str = "",
) -> Response:
    """*redirect_fault* is the address that was to change, what was typed, and what is wrong with it."""
    services = services_of(request)
    application = known_facts.application
    return page(
        request,
        "developers/settings.html",
        facts=known_facts,
        application=known_facts.application,
        authorize=services.settings.absolute(AUTHORIZE),
        token_endpoint=services.settings.absolute(TOKEN),
        editing="edit" in request.query_params or bool(fault),
        fault=fault,
        callback=known_facts.application.callback if callback is None else callback,
        password_grant=known_facts.application.switches.is_on(Switch.PASSWORD_GRANT, services.oauth.server.policy),
        deprecated_features=_deprecated_features(known_facts.application.switches, services.oauth.server.policy),
        acts_alone=_acts_alone(known_facts),
        policy=services.oauth.server.policy.value,
        list_shapes=LIST_SHAPES,
        kind=kind_of(application.kind, application.type, application.switches.profile).value,
        redirect_fault=redirect_fault,
        token_fault=token_fault,
        token_given=token_given or {},
        token_scopes=described(EVERYTHING),
        state_fault=state_fault,
        part="settings",
    )


def _deprecated_features(switches: Switches, policy: Policy) -> dict[str, bool]:
    """The choices that this kind of application has besides the password grant, and whether each works now."""
    return {
        switch.value: switches.is_on(switch, policy)
        for switch in DEPRECATED_FEATURE_TEXTS
        if switches.can_choose(switch)
    }


def _acts_alone(shown: Facts) -> bool | None:
    """Whether the application acts for its owner without a person; None for kinds that never can."""
    can = shown.application.switches.can_choose(Switch.ACTS_AS_OWNER)
    return shown.acts_for is not None if can else None


async def switch(request: Request, given: dict[str, str]) -> Response:
    """Switch a deprecated feature, or acting without a person, on or off (design 5.3)."""
    services = services_of(request)
    choices = (*DEPRECATED_FEATURE_TEXTS, Switch.ACTS_AS_OWNER)
    chosen = next((choice for choice in choices if choice.value == given.get("switch")), None)
    if chosen is None:
        raise Invalid("There is no such switch.", field="switch")
    on = given.get("on", "").lower() in _ON

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.registry.set_switch(work, actor, application_id(request), chosen, on=on)

    await write(request, known, call)
    return back_to(request, "machine" if chosen is Switch.ACTS_AS_OWNER else "deprecated-features")


async def list_shapes(request: Request) -> Response:
    """How lists that the original sent as objects are written for this application (02 section 7)."""
    given = await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.registry.set_list_shapes(
            work, actor, application_id(request), given.get("list_shapes", "")
        )

    await write(request, known, call)
    return back_to(request, "deprecated-features")


async def password_grant(request: Request) -> Response:
    scripted = is_xhr(request)
    given = await (xhr(request) if scripted else posted(request))
    on = given.get("grant", "").lower() in _ON
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.registry.set_switch(work, actor, application_id(request), Switch.PASSWORD_GRANT, on=on)

    await write(request, known, call)
    return json_answer({"success": True}) if scripted else back_to(request, "password-grant")


async def state(request: Request) -> Response:
    """Suspend with a reason, or resume."""
    given = await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        this = application_id(request)
        if given.get("do") == "resume":
            services.applications.lifecycle.resume(work, actor, this, by="owner")
        else:
            services.applications.lifecycle.suspend(work, actor, this, given.get("reason", ""), by="owner")

    try:
        await write(request, known, call)
    except Invalid as refusal:
        return await settings_page(request, await facts(request), state_fault=said(request, refusal))
    return back_to(request, "state")


ROUTES = [
    Route(APPLICATION, settings, methods=["GET"]),
    Route(APPLICATION + "authorize_grant_password/", password_grant, methods=["POST"]),
    Route(APPLICATION + "switch/", requires_recent_auth(switch), methods=["POST"]),
    Route(APPLICATION + "list-shapes/", list_shapes, methods=["POST"]),
    Route(APPLICATION + "state/", state, methods=["POST"]),
]
