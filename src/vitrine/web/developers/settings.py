"""The developer portal: dashboard, new application, settings (contract 07 P3 to P5; 01 section 9)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, UserId
from vitrine.applications import (
    KINDS,
    LIST_SHAPES,
    Application,
    ApplicationId,
    ApplicationKind,
    BadApplication,
    Draft,
    Policy,
    Profile,
    Switch,
    Switches,
    kind_of,
    machines,
    usage,
)
from vitrine.applications.kinds import KIND_NAMES
from vitrine.applications.model import Secret
from vitrine.applications.portal_store import KEPT
from vitrine.applications.secret_views import RotationOffer
from vitrine.edge import read, services_of, write
from vitrine.errors import Invalid
from vitrine.oauth.personal_tokens import NamedToken
from vitrine.oauth.scopes import EVERYTHING, described
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.errors import json_answer
from vitrine.web.shared.forms import known, posted, xhr
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page, redirect, said, translate

EMPTY = Draft("", "", "", "web", "")
AUTHORIZE, TOKEN = "/api/oauthv2/authorize", "/api/oauthv2/token"
# Beside these, the settings page has one more choice that is no old habit: acting without a person.
DEPRECATED_FEATURE_TEXTS = (Switch.IMPLICIT, Switch.PARAMETER_TOKEN, Switch.SECRET_REQUIRED, Switch.ENDLESS_TOKEN)
_ON = frozenset({"1", "true", "on", "yes"})


async def dashboard(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        mine = services.applications.registry.own(work, actor)
        return {
            "applications": mine,
            "people": services.applications.registry.people(work, mine),
            "day": usage.summaries(work, [one.id for one in mine], timedelta(days=1)),
            "deleted": [
                (one, one.deleted_at + KEPT)
                for one in services.applications.lifecycle.deleted(work, actor)
                if one.deleted_at
            ],
        }

    return page(request, "developers/dashboard.html", tab="developer", **await read(request, known, call))


async def new(request: Request) -> Response:
    await read(request, known, lambda _work, _actor: None)
    return page(request, "developers/new.html", draft=EMPTY, faults={}, kind="server")


async def create(request: Request) -> Response:
    given = await posted(request)
    services = services_of(request)
    chosen = given.get("kind", "")
    kind = ApplicationKind(chosen) if chosen in KIND_NAMES else None
    facts_of = KINDS[kind] if kind else None
    draft = Draft(
        name=given.get("name", ""),
        description=given.get("description", ""),
        website=_address(given, "website"),
        type=facts_of.type if facts_of else "desktop" if given.get("type") == "desktop" else "web",
        callback=_address(given, "callback"),
    )
    try:
        made = await write(
            request, known, lambda work, actor: services.applications.portal.create(work, actor, draft, kind)
        )
    except BadApplication as refusal:
        faults = {name: translate(request, text) for name, text in refusal.faults.items()}
        return page(request, "developers/new.html", draft=draft, faults=faults, kind=_shown_kind(kind, draft.type))
    return redirect(f"/developers/application/{made.id}/", 302)


def _shown_kind(kind: ApplicationKind | None, type_: str) -> str:
    return kind.value if kind else kind_of("", type_, Profile.STRICT).value


def _address(given: dict[str, str], name: str) -> str:
    """One field, or the two of the old form: a scheme and the rest."""
    text = given.get(name, "").strip()
    scheme = given.get(f"scheme-{name}", "")
    return scheme + text if scheme and text and "://" not in text else text


def application_id(request: Request) -> ApplicationId:
    return ApplicationId(request.path_params["id"])


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


async def settings(request: Request) -> Response:
    return await settings_page(request, await facts(request))


async def facts(request: Request, **revealed: str | None) -> Facts:
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
            **revealed,
        )

    return await read(request, known, call)


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
        habits=_habits(known_facts.application.switches, services.oauth.server.policy),
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


def _habits(switches: Switches, policy: Policy) -> dict[str, bool]:
    """The choices that this kind of application has besides the password grant, and whether each works now."""
    return {one.value: switches.is_on(one, policy) for one in DEPRECATED_FEATURE_TEXTS if switches.can_choose(one)}


def _acts_alone(shown: Facts) -> bool | None:
    """Whether the application acts for its owner without a person; None for kinds that never can."""
    can = shown.application.switches.can_choose(Switch.ACTS_AS_OWNER)
    return shown.acts_for is not None if can else None


async def switch(request: Request) -> Response:
    """One of the old habits, or acting without a person, on or off (design 5.3)."""
    given = await posted(request)
    services = services_of(request)
    choices = (*DEPRECATED_FEATURE_TEXTS, Switch.ACTS_AS_OWNER)
    wanted = next((one for one in choices if one.value == given.get("switch")), None)
    if wanted is None:
        raise Invalid("There is no such switch.", field="switch")
    on = given.get("on", "").lower() in _ON

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.registry.set_switch(work, actor, application_id(request), wanted, on=on)

    await write(request, known, call)
    return _back(request, "machine" if wanted is Switch.ACTS_AS_OWNER else "habits")


async def list_shapes(request: Request) -> Response:
    """How lists that the original sent as objects are written for this application (02 section 7)."""
    given = await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.registry.set_list_shapes(
            work, actor, application_id(request), given.get("list_shapes", "")
        )

    await write(request, known, call)
    return _back(request, "habits")


async def callback(request: Request) -> Response:
    """The form of the page and the XHR-JSON route share the address; the first has a form token."""
    if _is_xhr(request):
        given = await xhr(request)
        if "callback" not in given:
            return json_answer({"success": False, "message": translate(request, "Enter a callback URL.")})
        try:
            await _set_callback(request, given["callback"])
        except BadApplication as refusal:
            return json_answer({"success": False, "message": said(request, refusal)})
        return json_answer({"success": True})
    given = await posted(request)
    try:
        await _set_callback(request, given.get("callback", ""))
    except BadApplication as refusal:
        shown = await facts(request)
        fault = said(request, refusal)
        return await settings_page(request, shown, fault=fault, callback=given.get("callback", ""))
    return _back(request, "credentials")


async def _set_callback(request: Request, address: str) -> None:
    services = services_of(request)
    await write(
        request,
        known,
        lambda work, actor: services.applications.registry.set_callback(work, actor, application_id(request), address),
    )


def _is_xhr(request: Request) -> bool:
    return request.headers.get("x-requested-with", "").lower() == "xmlhttprequest"


def _back(request: Request, section: str) -> Response:
    return redirect(f"/developers/application/{application_id(request)}/#{section}")


async def password_grant(request: Request) -> Response:
    is_xhr = _is_xhr(request)
    given = await (xhr(request) if is_xhr else posted(request))
    on = given.get("grant", "").lower() in _ON
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.applications.registry.set_switch(work, actor, application_id(request), Switch.PASSWORD_GRANT, on=on)

    await write(request, known, call)
    return json_answer({"success": True}) if is_xhr else _back(request, "password-grant")


async def access_token(request: Request) -> Response:
    """Make or renew the developer token: as JSON for scripts (01 section 9), shown once on the page for the form."""
    if not _is_xhr(request):
        return await _token_form(request)
    await xhr(request)
    return json_answer({"success": True, "token": await _renewed(request)})


async def _renewed(request: Request) -> str:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> str:
        application = services.applications.registry.for_token(work, actor, application_id(request))
        return services.oauth.developer_tokens.renew(work, actor, application)

    return await write(request, known, call)


@requires_recent_auth
async def _token_form(request: Request, _given: dict[str, str]) -> Response:
    made = await _renewed(request)
    return await settings_page(request, await facts(request, revealed_token=made))


async def revoke_token(request: Request) -> Response:
    await posted(request)
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        services.oauth.developer_tokens.revoke(
            work, actor, services.applications.registry.get(work, actor, application_id(request))
        )

    await write(request, known, call)
    return _back(request, "developer-token")


async def reveal(request: Request, _given: dict[str, str]) -> Response:
    """Show client secret and developer token, shortly after signing in. Who may not see the secret, since the
    application acts for somebody else by it, sees their own developer token alone."""
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[str | None, str | None]:
        application = services.applications.registry.get(work, actor, application_id(request))
        secret = None
        if machines.may_see_secret(work, actor, application) and services.applications.secrets.current(
            work, actor, application.id
        ):
            secret = services.applications.secrets.reveal(work, actor, application.id)
        return secret, services.oauth.developer_tokens.reveal(work, actor, application)

    secret, token = await write(request, known, call)
    return await settings_page(request, await facts(request, revealed_secret=secret, revealed_token=token))


async def delete(request: Request) -> Response:
    """The form asks to type the name; the XHR-JSON route asks nothing (01 section 9)."""
    services = services_of(request)
    if request.method == "DELETE":
        await xhr(request)
        await write(
            request,
            known,
            lambda work, actor: services.applications.lifecycle.delete(work, actor, application_id(request)),
        )
        return json_answer({"success": True})
    given = await posted(request)
    shown = await facts(request)
    if given.get("name", "").strip() != shown.application.name:
        fault = translate(request, "The name you typed is not the name of this application. Nothing was deleted.")
        return page(request, "developers/delete.html", application=shown.application, fault=fault, people=0)
    await write(
        request, known, lambda work, actor: services.applications.lifecycle.delete(work, actor, application_id(request))
    )
    return redirect("/developers/applications/")


async def ask_delete(request: Request) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, int]:
        application = services.applications.registry.get(work, actor, application_id(request))
        return application, services.applications.registry.people(work, [application]).get(application.id, 0)

    application, people = await read(request, known, call)
    return page(request, "developers/delete.html", application=application, fault="", people=people)


ONE = "/developers/application/{id:int}/"
ROUTES = [
    Route("/developers/applications/", dashboard, methods=["GET"]),
    Route("/developers/application/new/", new, methods=["GET"]),
    Route("/developers/application/", create, methods=["POST"]),
    Route(ONE, settings, methods=["GET"]),
    Route(ONE, delete, methods=["DELETE"]),
    Route(ONE + "callback/", callback, methods=["POST"]),
    Route(ONE + "authorize_grant_password/", password_grant, methods=["POST"]),
    Route(ONE + "switch/", switch, methods=["POST"]),
    Route(ONE + "list-shapes/", list_shapes, methods=["POST"]),
    Route(ONE + "access_token/", access_token, methods=["POST"]),
    Route(ONE + "access_token/revoke/", revoke_token, methods=["POST"]),
    Route(ONE + "reveal/", requires_recent_auth(reveal), methods=["POST"]),
    Route(ONE + "delete/", ask_delete, methods=["GET"]),
    Route(ONE + "delete/", delete, methods=["POST"]),
]
