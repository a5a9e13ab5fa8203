"""A forgotten password (contract 07 P10)."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import NOBODY
from vitrine.accounts.credential_revocation import DeveloperTokenLine
from vitrine.accounts.mail import RenewedPassword
from vitrine.accounts.revokers import PASSWORD
from vitrine.edge import nobody, read, run_in_thread, services_of, write
from vitrine.errors import DomainError, Invalid
from vitrine.web.shared.form_action import AUTHORIZE
from vitrine.web.shared.forms import posted
from vitrine.web.shared.render import language_of, local_path, page, redirect, said, translate

# The address holds the link of an e-mail: the browser must not send it on.
QUIET = {"Referrer-Policy": "no-referrer"}


async def forgot(request: Request) -> Response:
    """The answer is the same whether or not the account exists."""
    if request.method != "POST":
        return _forgot_page(request, request.query_params.get("redirect", ""))
    given = await posted(request)
    after = given.get("redirect", "")
    services = services_of(request)
    name, language = given.get("login", ""), language_of(request, NOBODY)
    try:
        await write(
            request, nobody, lambda work, who: services.accounts.mail.request_password_link(work, who, name, language)
        )
    except DomainError as refusal:
        return _forgot_page(request, after, fault=said(request, refusal))
    return _forgot_page(request, after, sent=True)


def _forgot_page(request: Request, after: str, *, fault: str = "", sent: bool = False) -> Response:
    """*after* is the page that the sign-in leads to; that of an application signs people in itself."""
    after = local_path(after)
    if after.startswith(f"{AUTHORIZE}?"):
        back = after
    else:
        back = "/login/" if after == "/" else f"/login/?{urlencode({'redirect': after})}"
    faults = {"login": fault} if fault else {}
    return page(request, "sign_in/forgot.html", faults=faults, sent=sent, after=after, back=back)


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
    """The tokens that still work after a password reset by e-mail, and the button that ends them all. The link is the
    proof, as it is for the password itself."""
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


ROUTES = [
    Route("/login/forgot-password/", forgot, methods=["GET", "POST"]),
    Route("/login/renew-password/", renew, methods=["GET", "POST"]),
    Route("/login/developer-tokens/", developer_tokens, methods=["GET", "POST"]),
]
