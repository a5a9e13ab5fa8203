"""From a token or a cookie to an Actor.

API paths never look at cookies, pages never look at tokens: a request that carries both must not run as somebody the
caller did not mean (contract 06 section 27, trap 11).
"""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from starlette.requests import Request

from vitrine.accounts import NOBODY, Actor
from vitrine.edge.cookies import session_secret
from vitrine.edge.params import Params, header
from vitrine.edge.run import services_of
from vitrine.oauth.errors import InsufficientScope, TokenRefused
from vitrine.oauth.tokens import Bearer
from vitrine.platform.crypto import is_mistyped
from vitrine.platform.database import UnitOfWork

PARAMETERS = ("oauth_token", "access_token")


class Presented(NamedTuple):
    """A token as it came: *in_header* decides whether an application may send it so (design 5.3)."""

    secret: str
    in_header: bool


class TwoCarriers(Exception):
    """Different tokens in header and parameters: 400 `invalid_request` as JSON (contract 01 section 5.4)."""


class TokenMissing(Exception):
    """No token at all: 400 with a challenge (contract 01 section 5.4)."""


def presented(request: Request, params: Params, *, header_only: bool) -> Presented | None:
    """The access token of *request* (contract 01 section 5.1 with its D).

    `Authorization: OAuth` and `Bearer` count, other schemes are ignored. A parameter beside the header must be the
    same token. Raises TwoCarriers otherwise, also when query and form disagree.
    """
    in_header = _from_header(header(request.scope, b"authorization"))
    tokens: set[str] = set()
    if not header_only and (params.query or params.form):
        for source in (params.query, params.form):
            for name in PARAMETERS:
                value = source.get(name)
                if isinstance(value, str) and value:
                    tokens.add(value)
    if len(tokens) > 1 or (in_header and tokens and tokens != {in_header}):
        raise TwoCarriers
    if in_header:
        return Presented(in_header, in_header=True)
    return Presented(tokens.pop(), in_header=False) if tokens else None


def _from_header(value: str) -> str | None:
    scheme, _, rest = value.strip().partition(" ")
    if scheme == "OAuth" or scheme.lower() == "bearer":
        return rest.strip() or None
    return None


def bearer(work: UnitOfWork, request: Request) -> Actor:
    """The person and application behind the request's token; `edge.params.parameters` must have been awaited.

    Raises TokenMissing, TwoCarriers or TokenRefused. Leaves the token's facts in `request.state.bearer`.
    """
    actor = optional_bearer(work, request)
    if actor is None:
        raise TokenMissing
    return actor


def optional_bearer(work: UnitOfWork, request: Request) -> Actor | None:
    """The same where a token is optional: None without one, refusals as in `bearer`. Counts the call
    of its application, account and token once; raises TooManyCalls."""
    token = _presented(request)
    if token is None:
        return None
    services = services_of(request)
    state = request.scope["state"]
    checked = state.get("well_typed") is token
    facts: Bearer = services.oauth.server.tokens.check(work, token.secret, state["address"], is_well_typed=checked)
    if not token.in_header and not facts.allows_parameter_token:
        raise TokenRefused("invalid_request", "This application must send its token in the Authorization header.")
    is_first = "bearer" not in state  # an upload checks it twice, before and after its body
    if not is_first and state["bearer"].token_id != facts.token_id:
        raise TwoCarriers  # one before the file and another behind it: which one is meant nobody can say
    state["bearer"], state["in_header"] = facts, token.in_header
    if is_first:
        state["quota"] = services.limits.quotas.hit(
            facts.actor.application_id or 0, facts.actor.user_id or 0, facts.token_id
        )
    if facts.actor.scope is not None:
        require_scope(facts.actor.scope, state.get("needs"))
    services.deferred_writes.token_used(facts.token_id, work.now, facts.actor.address)
    return facts.actor


def refuse_mistyped(request: Request) -> None:
    """Refuse a token that cannot be ours without reading the database. Raises TokenRefused or TwoCarriers."""
    token = _presented(request)
    if token is not None and is_mistyped(token.secret):
        raise TokenRefused("invalid_token")
    request.scope["state"]["well_typed"] = token


def _presented(request: Request) -> Presented | None:
    """`presented`, once for each reading of the parameters."""
    state = request.scope["state"]
    params = state.get("params")
    cached: tuple[Params | None, Presented | None] | None = state.get("presented")
    if cached is None or cached[0] is not params:
        header_only = services_of(request).settings.api_header_tokens_only
        cached = state["presented"] = (params, presented(request, params or Params(), header_only=header_only))
    return cached[1]


def require_scope(scope: frozenset[str], needs: str | None) -> None:
    """The one place where scopes are enforced. *needs* is the scope in the route's table; a route that names none
    refuses tokens with scopes. Raises InsufficientScope (RFC 6750 section 3.1)."""
    if needs is None or needs not in scope:
        raise InsufficientScope(needs or "administration")


def cookie(work: UnitOfWork, request: Request) -> Actor:
    """The person signed in in this browser, or NOBODY. Leaves the actor in `request.state.actor` for templates."""
    secret = session_secret(request)
    address = request.scope["state"]["address"]
    services = services_of(request)
    sessions = services.accounts.sessions
    actor = sessions.actor_of(work, secret, address) if secret else None
    request.state.actor = actor or NOBODY
    if actor is not None and actor.session is not None and sessions.needs_touch(actor.session, work.now):
        services.deferred_writes.session_used(actor.session.id, work.now)
        request.state.renewed_session = secret  # `keep_session` sends the cookie again with the next page
    return actor or NOBODY


def nobody(_work: UnitOfWork, request: Request) -> Actor:
    """For routes that do not depend on the caller; the address is still known."""
    return _stranger(request.scope["state"]["address"])


@lru_cache(maxsize=1024)
def _stranger(address: str) -> Actor:
    return replace(NOBODY, address=address)
