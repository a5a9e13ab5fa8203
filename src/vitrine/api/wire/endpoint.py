"""The one wrapper of every API endpoint: what all of them do, in the same order (docs/decisions/0089).

Admission, token before body, parameters, handler, refusal, and what the call leaves behind: a line in the request log,
the use of deprecated features, and the headers about what is left of a quota. What an API specifies differently is in
its `Conventions`.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.edge import nobody, optional_bearer, parameters, read, refusals, services_of
from vitrine.edge.auth import refuse_mistyped
from vitrine.edge.params import FORM_BYTES, SMALL_BODY_BYTES, Allowance, Params, has_form, without_body
from vitrine.edge.run import Authenticator
from vitrine.edge.text import close_uploads
from vitrine.errors import DomainError
from vitrine.oauth import deprecated_features
from vitrine.platform import logging
from vitrine.platform.database import UnitOfWork
from vitrine.platform.deferred_writes import RequestLine

Handler = Callable[[Request], Awaitable[Response]]
Permit = Callable[[Request, UnitOfWork, Actor], object]
Challenge = Callable[[Request, Any], Response]
GUIDE = "/developers/habits/"
log = logging.get("vitrine.api")


def anybody(_request: Request, _work: UnitOfWork, _actor: Actor) -> None:
    """The right of a call that needs no more than a token with the scope."""


@dataclass(frozen=True, slots=True)
class TakesFiles:
    """A route that takes files. *permit* raises a refusal unless the actor may send them: to the very object that the
    parameters name, or to any where they name none yet."""

    max_bytes: Callable[[Request], int]
    permit: Callable[[Request, UnitOfWork, Actor, Params], None]


@dataclass(frozen=True, slots=True)
class Conventions:
    """What one API specifies in its own way.

    *refused* gives a refusal its shape, with the status that *statuses* has for it. *challenges* has the answers to
    errors of the OAuth family and to refusals that need more than a status; the first row that fits counts, before
    *refused*. *broken* answers a fault of ours; without it the fault goes on to the application's handler.

    *admit* looks at what needs neither token nor body, and returns the answer to a request that goes no further.
    The token is looked at after the parameters and before the handler reads a body that is no form: a mistyped one is
    refused without the database, and with *authenticate* so is every request without a valid one. Endpoints whose
    handler reads the form itself set *reads_parameters* to False.
    """

    refused: Callable[[Request, DomainError, int], Response]
    statuses: refusals.Statuses
    challenges: tuple[tuple[type[Exception], Challenge], ...]
    broken: Callable[[Request], Response] | None = None
    admit: Callable[[Request], Response | None] | None = None
    authenticate: Authenticator | None = None
    reads_parameters: bool = True
    is_counted: bool = True

    def answer_to(self, request: Request, failure: Exception) -> Response | None:
        """The answer to *failure*; None where the application's own handler answers."""
        for kind, challenge in self.challenges:
            if isinstance(failure, kind):
                return challenge(request, failure)
        if isinstance(failure, DomainError):
            if failure.why:
                log.info("refused", code=failure.code, why=failure.why)
            return self.refused(request, failure, refusals.status_of(failure, self.statuses))
        if self.broken is None or isinstance(failure, HTTPException):
            return None
        log.exception("request.broke")
        return self.broken(request)


def endpoint(
    handler: Handler,
    conventions: Conventions,
    needs: Mapping[str, str] | None = None,
    *,
    takes_files: TakesFiles | None = None,
    permit: Permit = anybody,
) -> Handler:
    """Wrap a handler. *needs* is the scope, by method, that a token with scopes must have; `edge.auth` checks it when
    it reads the token. *permit* raises a refusal unless the actor may do it to what the path names; it is asked before
    the body is read, where the conventions authenticate."""
    scopes = needs or {}

    async def wrapped(request: Request) -> Response:
        request.scope["state"]["needs"] = scopes.get(request.scope["method"])
        response = await _answered(request, handler, conventions, takes_files, permit)
        if conventions.is_counted:
            _count(request, response)
        return response

    return wrapped


async def _answered(
    request: Request, handler: Handler, conventions: Conventions, takes_files: TakesFiles | None, permit: Permit
) -> Response:
    try:
        if conventions.admit is not None:
            refused = conventions.admit(request)
            if refused is not None:
                return refused
        if not conventions.reads_parameters:
            return await handler(request)
        if takes_files is not None or has_form(request):
            await _parameters(request, takes_files, permit)
            refused = None if conventions.admit is None else conventions.admit(request)
            if refused is not None:  # by what stands in the form
                return refused
        else:
            await parameters(request)
        refuse_mistyped(request)
        if conventions.authenticate is not None:
            await read(request, conventions.authenticate, partial(permit, request))
        return await handler(request)
    except Exception as failure:
        answer = conventions.answer_to(request, failure)
        if answer is None:
            raise
        return answer
    finally:
        await close_uploads(request)


async def _parameters(request: Request, takes_files: TakesFiles | None, permit: Permit) -> Params:
    """Parameters with a form. A token in header or query is checked before the first byte, with its scope, its quota
    and the right to send files, so that strangers cannot fill memory or disk; one in the form itself, and the right on
    the very object, before the first file. Without a token at most FORM_BYTES are read."""
    allowance = Allowance(FORM_BYTES, is_final=takes_files is None)

    def admit(work: UnitOfWork, params: Params) -> None:
        actor = optional_bearer(work, request)
        if actor is None:
            return
        allowance.max_bytes = SMALL_BODY_BYTES if takes_files is None else takes_files.max_bytes(request)
        allowance.is_final = True
        permit(request, work, actor)
        if takes_files is not None:
            takes_files.permit(request, work, actor, params)

    async def ask(params: Params) -> None:
        request.scope["state"]["params"] = params
        try:
            refuse_mistyped(request)
            await read(request, nobody, lambda work, _actor: admit(work, params))
        finally:
            del request.scope["state"]["params"]

    await ask(without_body(request))
    return await parameters(request, allowance=allowance, before_files=ask if takes_files else None)


def _count(request: Request, response: Response) -> None:
    """Write the call down for the owner of its application, and add the headers about deprecated features and quotas.
    Does nothing for a call without a valid token."""
    scope = request.scope
    state = scope["state"]
    bearer = state.get("bearer")
    if bearer is None:
        return
    services, now = services_of(request), datetime.now(UTC)
    in_header: bool = state["in_header"]
    if not in_header:
        services.deferred_writes.feature_used(
            bearer.actor.application_id, deprecated_features.PARAMETER, now, state["address"]
        )
        response.headers.update(deprecated_features.headers(services.settings.absolute(GUIDE)))
    quota = state.get("quota")
    if quota is not None:
        response.raw_headers.append((b"ratelimit", quota[0].encode()))
        if quota[1]:
            response.raw_headers.append((b"ratelimit-policy", quota[1].encode()))
    services.deferred_writes.request(
        RequestLine(
            now,
            state["request_id"],
            bearer.actor.account_id,
            bearer.actor.application_id,
            scope["method"],
            scope["route"].path,
            response.status_code,
            round((time.perf_counter() - state["started"]) * 1_000_000),
            "" if in_header else deprecated_features.PARAMETER,
        )
    )
