"""Making an account (`/login/register/`) and confirming it by the link of a mail (contract 07 P10, 06 section 18)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import NOBODY, Actor
from vitrine.accounts.mail_texts import LINK_PATHS
from vitrine.accounts.puzzles import ZERO_BITS
from vitrine.accounts.registration.model import OpenCollection
from vitrine.accounts.revokers import PASSWORD
from vitrine.edge import nobody, parameters, read, run_in_thread, services_of, write
from vitrine.edge.params import natural
from vitrine.errors import DomainError, NotFound, Unavailable
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import posted
from vitrine.web.shared.render import language_of, page, redirect, said
from vitrine.web.sign_in.pages import WAIT_S
from vitrine.web.sign_in.recovery import QUIET

LABELS = {
    "login": "Login", "gender": "Title", "first_name": "First name", "last_name": "Last name", "address": "Address",
    "zip_code": "Postcode", "city": "City", "country": "Country", "job": "Job", "company": "Company",
    "activity": "Activity", "phone": "Phone", "fax": "Fax",
}  # fmt: skip


class _Blank(dict[str, str]):
    """Values by field; a field without one is empty."""

    def __missing__(self, key: str) -> str:
        return ""


async def form(request: Request) -> Response:
    services_of(request).accounts.sign_up.require_open()
    return await _form_page(request, {}, {})


async def _form_page(
    request: Request, given: dict[str, str], faults: dict[str, str], *, chosen: frozenset[int] | None = None
) -> Response:
    """*chosen* None: every open collection is ticked."""
    services = services_of(request)
    sign_up = services.accounts.sign_up

    def call(work: UnitOfWork, _actor: Actor) -> tuple[str, list[OpenCollection]]:
        return sign_up.puzzle(work, request.state.address), services.accounts.registration.open_collections(work)

    puzzle, collections = await read(request, nobody, call)
    kept = {name: value for name, value in given.items() if name not in ("password", "again")}
    return page(
        request, "sign_in/sign_up.html", status=400 if faults else 200, faults=_Blank(faults), given=_Blank(kept),
        form=sign_up.form, labels=LABELS, collections=collections, chosen=chosen, puzzle=puzzle,
        puzzle_bits=ZERO_BITS, wait_s=WAIT_S,
    )  # fmt: skip


async def send(request: Request) -> Response:
    services = services_of(request)
    services.accounts.sign_up.require_open()
    given = await posted(request)
    ticked = (await parameters(request)).values("collections")
    bases = [number for number in map(natural, ticked[:1000]) if number is not None]
    address, language = request.state.address, language_of(request, NOBODY)

    def add(work: UnitOfWork, _who: Actor) -> None:
        services.accounts.sign_up.add(work, address, given, bases, language)

    try:
        given["hashed"] = await run_in_thread(lambda: services.accounts.sign_up.hashed(given))
        await write(request, nobody, add)
    except NotFound:
        raise
    except DomainError as refusal:
        given.pop("hashed", None)
        if isinstance(refusal, Unavailable) and refusal.code != "too_many_mails":
            raise
        return await _form_page(
            request, given, {refusal.field or "email": said(request, refusal)}, chosen=frozenset(bases)
        )
    return page(request, "sign_in/sign_up_sent.html", email=given.get("email", "").strip())


async def confirm(request: Request) -> Response:
    """GET shows a button, since programs that look through mails follow links; POST confirms."""
    services = services_of(request)
    if request.method != "POST":
        token = request.query_params.get("token", "")
        has_password = await read(
            request, nobody, lambda work, _who: services.accounts.sign_up.has_password(work, token)
        )
        return page(request, "sign_in/confirm.html", headers=QUIET, token=token, has_password=has_password)
    token = (await posted(request)).get("token", "")
    secret = await write(request, nobody, lambda work, _who: services.accounts.sign_up.confirm(work, token))
    return redirect(f"{LINK_PATHS[PASSWORD]}{secret}" if secret else "/login/?confirmed")


ROUTES = [
    Route("/login/register/", form, methods=["GET"]),
    Route("/login/register/", send, methods=["POST"]),
    Route("/login/confirm/", confirm, methods=["GET", "POST"]),
]
