"""What the page handlers share: fields of a form, form tokens, who must be signed in."""

from typing import TypeVar
from urllib.parse import quote

from starlette.requests import Request

from vitrine.accounts import Actor
from vitrine.edge import cookie, csrf, parameters, read
from vitrine.edge.csrf import NotFromOurPage, require_same_origin, wants_json
from vitrine.edge.params import Params
from vitrine.edge.run import Call
from vitrine.errors import DomainError
from vitrine.platform.database import UnitOfWork

T = TypeVar("T")


class MustSignIn(DomainError):
    """A page for known people: strangers are sent to the sign-in page and come back afterwards."""

    code = "must_sign_in"


class NotJson(DomainError):
    """An XHR-JSON route called otherwise: 400 (contract 07, common rules)."""

    code = "only_json"


def known(work: UnitOfWork, request: Request) -> Actor:
    """Authenticator of pages for signed-in people. Raises MustSignIn."""
    actor = cookie(work, request)
    if not actor.is_known:
        raise MustSignIn("Please sign in first.")
    return actor


def sign_in_address(request: Request) -> str:
    """Where a stranger goes; only a page can be returned to, not a form that was posted."""
    path = request.url.path if request.method in ("GET", "HEAD") else "/"
    query = f"?{request.url.query}" if request.url.query and request.method in ("GET", "HEAD") else ""
    return "/login/?redirect=" + quote(path + query, safe="")


async def fields(request: Request, *, max_bytes: int | None = None) -> dict[str, str]:
    """The fields of a form. The caller checks its token."""
    params = await (parameters(request, max_bytes=max_bytes) if max_bytes else parameters(request))
    return {name: value for name, value in params.form.items() if isinstance(value, str)}


async def posted(request: Request, *, max_bytes: int | None = None) -> dict[str, str]:
    """The fields of a form whose token is right. Raises NotFromOurPage."""
    csrf.require_possible(request)
    given = await fields(request, max_bytes=max_bytes)
    csrf.require(request, given.get("csrf"))
    return given


async def posted_files(request: Request, who: Call[T], *, max_bytes: int) -> Params:
    """A form with files, whose token is right. Who may send it is asked before the body, by *who*; the token before the
    first file is kept. The caller closes what is returned. Raises NotFromOurPage, and what *who* raises."""
    csrf.require_possible(request)
    await read(request, known, who)

    async def require_token(params: Params) -> None:
        csrf.require(request, params.text("csrf"))

    params = await parameters(request, max_bytes=max_bytes, before_files=require_token)
    try:
        csrf.require(request, params.text("csrf"))
    except NotFromOurPage:
        await params.close()
        raise
    return params


def is_xhr(request: Request) -> bool:
    return request.headers.get("x-requested-with", "").lower() == "xmlhttprequest"


async def xhr(request: Request) -> dict[str, str]:
    """The parameters of an XHR-JSON call from a page of ours. Raises NotJson or NotFromOurPage."""
    if not wants_json(request):
        raise NotJson("Bad request format, only JSON is allowed.")
    require_same_origin(request)
    params = await parameters(request)
    return {name: value for name, value in {**params.form, **params.query}.items() if isinstance(value, str)}
