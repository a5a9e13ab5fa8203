"""The developer portal: dashboard, new application, settings (contract 07 P3 to P5; 01 section 9)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.accounts.errors import NotFresh
from vitrine.applications import (
    LIST_SHAPES,
    Application,
    ApplicationId,
    BadApplication,
    Draft,
    Policy,
    Switch,
    Switches,
)
from vitrine.edge import read, services, write
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.web.errors import json_answer
from vitrine.web.forms import known, posted, xhr
from vitrine.web.render import page, redirect, translate

EMPTY = Draft("", "", "", "web", "")
AUTHORIZE, TOKEN = "/api/oauthv2/authorize", "/api/oauthv2/token"
OLD_HABITS = (Switch.IMPLICIT, Switch.PARAMETER_TOKEN, Switch.SECRET_REQUIRED, Switch.ENDLESS_TOKEN)
_ON = frozenset({"1", "true", "on", "yes"})


async def dashboard(request: Request) -> Response:
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[list[Application], dict[ApplicationId, int]]:
        mine = here.applications.own(work, actor)
        return mine, here.applications.people(work, mine)

    mine, people = await read(request, known, call)
    return page(request, "developers/dashboard.html", tab="developer", applications=mine, people=people)


async def new(request: Request) -> Response:
    await read(request, known, lambda _work, _actor: None)
    return page(request, "developers/new.html", draft=EMPTY, faults={})


async def create(request: Request) -> Response:
    given = await posted(request)
    here = services(request)
    draft = Draft(
        name=given.get("name", ""),
        description=given.get("description", ""),
        website=_address(given, "website"),
        type="desktop" if given.get("type") == "desktop" else "web",
        callback=_address(given, "callback"),
    )
    try:
        made = await write(request, known, lambda work, actor: here.applications.create(work, actor, draft))
    except BadApplication as refusal:
        faults = {name: translate(request, text) for name, text in refusal.faults.items()}
        return page(request, "developers/new.html", draft=draft, faults=faults)
    return redirect(f"/developers/application/{made.id}/", 302)


def _address(given: dict[str, str], name: str) -> str:
    """One field, or the two of the old form: a scheme and the rest."""
    text = given.get(name, "").strip()
    scheme = given.get(f"scheme-{name}", "")
    return scheme + text if scheme and text and "://" not in text else text


def _id(request: Request) -> ApplicationId:
    return ApplicationId(request.path_params["id"])


@dataclass(frozen=True, slots=True)
class Facts:
    """What the settings page shows. Secrets are there only when they were just revealed."""

    application: Application
    secret: Any
    token: Any
    is_mine: bool
    revealed_secret: str | None = None
    revealed_token: str | None = None


async def settings(request: Request) -> Response:
    return await _settings(request, known_facts=await _facts(request))


async def _facts(request: Request, **revealed: str | None) -> Facts:
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> Facts:
        application = here.applications.get(work, actor, _id(request))
        return Facts(
            application=application,
            secret=here.applications.secret(work, actor, application.id),
            token=here.oauth.developer_token(work, actor, application),
            is_mine=application.creator_id == actor.user_id,
            **revealed,
        )

    return await read(request, known, call)


async def _settings(request: Request, *, known_facts: Facts, fault: str = "", callback: str | None = None) -> Response:
    here = services(request)
    return page(
        request,
        "developers/settings.html",
        facts=known_facts,
        application=known_facts.application,
        authorize=here.settings.absolute(AUTHORIZE),
        token_endpoint=here.settings.absolute(TOKEN),
        editing="edit" in request.query_params or bool(fault),
        fault=fault,
        callback=known_facts.application.callback if callback is None else callback,
        password_grant=known_facts.application.switches.is_on(Switch.PASSWORD_GRANT, here.oauth.policy),
        habits=_habits(known_facts.application.switches, here.oauth.policy),
        policy=here.oauth.policy.value,
        list_shapes=LIST_SHAPES,
    )


def _habits(switches: Switches, policy: Policy) -> dict[str, bool]:
    """The choices that this kind of application has besides the password grant, and whether each works now."""
    return {one.value: switches.is_on(one, policy) for one in OLD_HABITS if switches.can_choose(one)}


async def switch(request: Request) -> Response:
    """One of the old habits, on or off (design 5.3)."""
    given = await posted(request)
    here = services(request)
    wanted = next((one for one in OLD_HABITS if one.value == given.get("switch")), None)
    if wanted is None:
        raise Invalid("There is no such switch.", field="switch")
    on = given.get("on", "").lower() in _ON

    def call(work: UnitOfWork, actor: Actor) -> None:
        here.applications.set_switch(work, actor, _id(request), wanted, on=on)

    await write(request, known, call)
    return _back(request, "habits")


async def list_shapes(request: Request) -> Response:
    """How lists that the original sent as objects are written for this application (02 section 7)."""
    given = await posted(request)
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        here.applications.set_list_shapes(work, actor, _id(request), given.get("list_shapes", ""))

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
            return json_answer({"success": False, "message": translate(request, refusal.detail)})
        return json_answer({"success": True})
    given = await posted(request)
    try:
        await _set_callback(request, given.get("callback", ""))
    except BadApplication as refusal:
        facts = await _facts(request)
        fault = translate(request, refusal.detail)
        return await _settings(request, known_facts=facts, fault=fault, callback=given.get("callback", ""))
    return _back(request, "credentials")


async def _set_callback(request: Request, address: str) -> None:
    here = services(request)
    await write(request, known, lambda work, actor: here.applications.set_callback(work, actor, _id(request), address))


def _is_xhr(request: Request) -> bool:
    return request.headers.get("x-requested-with", "").lower() == "xmlhttprequest"


def _back(request: Request, section: str) -> Response:
    return redirect(f"/developers/application/{_id(request)}/#{section}")


async def password_grant(request: Request) -> Response:
    is_xhr = _is_xhr(request)
    given = await (xhr(request) if is_xhr else posted(request))
    on = given.get("grant", "").lower() in _ON
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        here.applications.set_switch(work, actor, _id(request), Switch.PASSWORD_GRANT, on=on)

    await write(request, known, call)
    return json_answer({"success": True}) if is_xhr else _back(request, "password-grant")


async def access_token(request: Request) -> Response:
    """Make or renew the developer token: as JSON for scripts (01 section 9), shown once on the page for the form."""
    is_xhr = _is_xhr(request)
    await (xhr(request) if is_xhr else posted(request))
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> str:
        application = here.applications.get(work, actor, _id(request))
        return here.oauth.renew_developer_token(work, actor, application)

    made = await write(request, known, call)
    if is_xhr:
        return json_answer({"success": True, "token": made})
    return await _settings(request, known_facts=await _facts(request, revealed_token=made))


async def revoke_token(request: Request) -> Response:
    await posted(request)
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> None:
        here.oauth.revoke_developer_token(work, actor, here.applications.get(work, actor, _id(request)))

    await write(request, known, call)
    return _back(request, "developer-token")


async def reveal(request: Request) -> Response:
    """Show client secret and developer token, shortly after signing in; else ask for the password and come back."""
    await posted(request)
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[str, str | None]:
        application = here.applications.get(work, actor, _id(request))
        secret = here.applications.reveal_secret(work, actor, application.id)
        return secret, here.oauth.reveal_developer_token(work, actor, application)

    try:
        secret, token = await write(request, known, call)
    except NotFresh:
        return redirect("/login/prove/?redirect=" + quote(f"/developers/application/{_id(request)}/", safe=""))
    facts = await _facts(request, revealed_secret=secret, revealed_token=token)
    return await _settings(request, known_facts=facts)


async def delete(request: Request) -> Response:
    """The form asks to type the name; the XHR-JSON route asks nothing (01 section 9)."""
    here = services(request)
    if request.method == "DELETE":
        await xhr(request)
        await write(request, known, lambda work, actor: here.applications.delete(work, actor, _id(request)))
        return json_answer({"success": True})
    given = await posted(request)
    facts = await _facts(request)
    if given.get("name", "").strip() != facts.application.name:
        fault = translate(request, "The name you typed is not the name of this application. Nothing was deleted.")
        return page(request, "developers/delete.html", application=facts.application, fault=fault, people=0)
    await write(request, known, lambda work, actor: here.applications.delete(work, actor, _id(request)))
    return redirect("/developers/applications/")


async def ask_delete(request: Request) -> Response:
    here = services(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[Application, int]:
        application = here.applications.get(work, actor, _id(request))
        return application, here.applications.people(work, [application]).get(application.id, 0)

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
    Route(ONE + "reveal/", reveal, methods=["POST"]),
    Route(ONE + "delete/", ask_delete, methods=["GET"]),
    Route(ONE + "delete/", delete, methods=["POST"]),
]
