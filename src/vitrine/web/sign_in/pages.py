"""The two pages of signing in: login and password, and the second step."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import User
from vitrine.accounts.puzzles import WAIT, ZERO_BITS, Solution
from vitrine.edge import nobody, read, services_of
from vitrine.edge.cookies import visitor_secret
from vitrine.web.shared.form_action import form_action_after
from vitrine.web.shared.render import page

WAIT_S = int(WAIT.total_seconds())


async def login_page(
    request: Request,
    back: str,
    *,
    login: str = "",
    fault: str = "",
    renewed: bool = False,
    failure: str = "",
    status: int = 200,
) -> Response:
    """The form; *failure* says why a sign-in at an identity provider led back here."""
    faults = {"login": fault} if fault else {}
    puzzle = await puzzle_for(request, login) if fault else ""
    forms = await form_action_after(request, back)
    return page(
        request, "sign_in/login.html", status=status, forms=forms, faults=faults, login=login, back=back,
        renewed=renewed, provider_failure=failure, confirmed="confirmed" in request.query_params, puzzle=puzzle,
        puzzle_bits=ZERO_BITS, wait_s=WAIT_S, choose={"choose": "1"} if "choose" in request.query_params else {},
    )  # fmt: skip


async def puzzle_for(request: Request, login: str) -> str:
    """The puzzle of a form after a failure; empty while there were few."""
    users = services_of(request).accounts.users
    return await read(request, nobody, lambda work, _who: users.puzzle_for(work, login, request.state.address))


def solution_of(given: Mapping[str, object]) -> Solution:
    puzzle, number = given.get("puzzle", ""), given.get("puzzle_number", "")
    return Solution(puzzle if isinstance(puzzle, str) else "", number if isinstance(number, str) else "")


async def second_step(request: Request, user: User, back: str, *, identity_id: int | None = None) -> Response | None:
    """The page of the second step if *user*, whose password was just right, needs one, else None. *identity_id* is the
    linked identity of a first step at a provider. The sign-in page and the authorize page both end here, and go on at
    *back* afterwards."""
    services = services_of(request)
    if not await read(request, nobody, lambda work, _actor: services.accounts.users.has_second_step(work, user.id)):
        return None
    visitor = visitor_secret(request)
    pending = await read(
        request, nobody, lambda work, _actor: services.accounts.mfa.pending(user, visitor, work.now, identity_id)
    )
    return await second_step_page(request, pending, user, back)


async def second_step_page(request: Request, pending: str, user: User, back: str, fault: str = "") -> Response:
    services = services_of(request)
    has_app = await read(request, nobody, lambda work, _actor: services.accounts.mfa.has_app(work, user.id))
    return page(
        request,
        "sign_in/mfa.html",
        forms=await form_action_after(request, back),
        pending=pending,
        back=back,
        has_app=has_app,
        faults={"code": fault} if fault else {},
    )
