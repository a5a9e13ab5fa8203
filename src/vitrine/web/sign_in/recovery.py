"""A forgotten password and a new e-mail address (contract 07 P10 and the account's `/account/reset-email/`)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import NOBODY, Actor
from vitrine.accounts.endings import EMAIL, PASSWORD
from vitrine.accounts.errors import RecentAuthRequired
from vitrine.accounts.lifetimes import DeveloperTokenLine
from vitrine.accounts.mail import RenewedPassword
from vitrine.edge import nobody, read, run_in_thread, services_of, write
from vitrine.errors import DomainError, Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.reauthentication import reauthentication_page
from vitrine.web.shared.render import language_of, page, redirect, said, translate

# A link of a letter stands in the address: it goes nowhere from here.
QUIET = {"Referrer-Policy": "no-referrer"}


async def forgot(request: Request) -> Response:
    """The same answer whether anybody has the address."""
    if request.method != "POST":
        return page(request, "sign_in/forgot.html", faults={}, sent=False)
    given = await posted(request)
    services = services_of(request)
    name, language = given.get("login", ""), language_of(request, NOBODY)
    try:
        await write(
            request, nobody, lambda work, who: services.accounts.mail.request_password_link(work, who, name, language)
        )
    except DomainError as refusal:
        return page(request, "sign_in/forgot.html", faults={"login": said(request, refusal)}, sent=False)
    return page(request, "sign_in/forgot.html", faults={}, sent=True)


async def renew(request: Request) -> Response:
    services = services_of(request)
    if request.method != "POST":
        token = request.query_params.get("token", "")
        user = await read(request, nobody, lambda work, _who: services.accounts.mail.link_owner(work, token, PASSWORD))
        return page(request, "sign_in/renew.html", headers=QUIET, faults={}, token=token, login=user.login)
    given = await posted(request)
    token, new = given.get("token", ""), given.get("new", "")
    user = await read(request, nobody, lambda work, _who: services.accounts.mail.link_owner(work, token, PASSWORD))
    faults: dict[str, str] = {}
    renewed: RenewedPassword | None = None
    if new != given.get("again", ""):
        faults["again"] = translate(request, "The two new passwords are not the same.")
    else:
        try:
            renewed = await run_in_thread(
                lambda: services.accounts.mail.renew_password(token, new, request.state.address)
            )
        except Invalid as refusal:
            faults["new"] = said(request, refusal)
    if faults:
        return page(request, "sign_in/renew.html", headers=QUIET, faults=faults, token=token, login=user.login)
    if renewed is not None and renewed.tokens:
        return _tokens_page(request, renewed.secret, renewed.tokens, renewed=True)
    return redirect("/login/?renewed")


def _tokens_page(
    request: Request, secret: str, tokens: list[DeveloperTokenLine], *, renewed: bool = False, ended: bool = False
) -> Response:
    return page(
        request,
        "sign_in/developer_tokens.html",
        headers=QUIET,
        token=secret,
        tokens=tokens,
        renewed=renewed,
        ended=ended,
    )


async def developer_tokens(request: Request) -> Response:
    """The tokens that go on working after a password was set by a letter, and the button that ends them all. The link
    is the proof, as it is for the password itself."""
    services = services_of(request)
    if request.method != "POST":
        secret = request.query_params.get("token", "")
        _, tokens = await read(
            request, nobody, lambda work, _who: services.accounts.mail.tokens_behind_link(work, secret)
        )
        return _tokens_page(request, secret, tokens)
    secret = (await posted(request)).get("token", "")
    address = request.state.address
    await write(request, nobody, lambda work, _who: services.accounts.mail.end_tokens(work, secret, address))
    return _tokens_page(request, "", [], ended=True)


async def email(request: Request) -> Response:
    """GET: the form, or the button of a link that was followed. POST: ask for the link, or confirm by it."""
    services = services_of(request)
    if request.method != "POST":
        token = request.query_params.get("token", "")

        def call(work: UnitOfWork, actor: Actor) -> tuple[str, bool]:
            if token:
                services.accounts.mail.link_owner(work, token, EMAIL)
            mine = actor.must_user_id
            return services.accounts.users.get(work, mine).email or "", services.accounts.users.has_password(work, mine)

        current, has_password = await read(request, known, call)
        done = "done" in request.query_params
        return page(
            request, "account/email.html", headers=QUIET, tab="", faults={}, token=token, email=current, sent="",
            done=done, has_password=has_password,
        )  # fmt: skip
    given = await posted(request)
    if given.get("token"):
        await write(
            request, known, lambda work, actor: services.accounts.mail.confirm_email(work, actor, given["token"])
        )
        return redirect("/account/reset-email/?done")
    return await _ask(request, given.get("email", ""), given.get("password", ""))


async def _ask(request: Request, address: str, password: str) -> Response:
    """The current password proves who asks; who has none must have signed in elsewhere a moment ago."""
    services = services_of(request)

    def look(work: UnitOfWork, actor: Actor) -> tuple[Actor, bool]:
        return actor, services.accounts.users.has_password(work, actor.must_user_id)

    actor, has_password = await read(request, known, look)
    faults, sent = {}, ""
    language = language_of(request, actor)

    def asked(work: UnitOfWork, who: Actor) -> None:
        if not has_password:
            services.accounts.sessions.require_recent_auth(work, who)
        services.accounts.mail.request_address_change(work, who, address, language)

    try:
        if has_password:
            await run_in_thread(
                lambda: services.accounts.users.check_password(actor.login, password, request.state.address)
            )
        await write(request, known, asked)
        sent = address
    except RecentAuthRequired:
        return await reauthentication_page(request, {}, back="/account/reset-email/")
    except DomainError as refusal:
        is_password = refusal.code == "wrong_credentials"
        detail = translate(request, "The password is not right.") if is_password else said(request, refusal)
        faults = {"password" if is_password else "email": detail}
    return page(
        request, "account/email.html", headers=QUIET, tab="", faults=faults, token="", email=address, sent=sent,
        done=False, has_password=has_password,
    )  # fmt: skip


ROUTES = [
    Route("/login/forgot-password/", forgot, methods=["GET", "POST"]),
    Route("/login/renew-password/", renew, methods=["GET", "POST"]),
    Route("/login/developer-tokens/", developer_tokens, methods=["GET", "POST"]),
    Route("/account/reset-email/", email, methods=["GET", "POST"]),
]
