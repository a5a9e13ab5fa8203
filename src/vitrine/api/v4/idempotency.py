"""`Idempotency-Key` on every POST: what a repetition of a request gets (docs/decisions/0124).

The first answer is written in the transaction of the change and given again, word for word, to the same caller for 24
hours. Refusals are not kept: nothing happened, and the key may be used again.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.content import NO_BODY, SecretResponse
from vitrine.edge import bearer, run_in_thread, services_of, write
from vitrine.edge.run import Call
from vitrine.errors import Conflict, Invalid
from vitrine.platform import idempotency
from vitrine.platform.database import UnitOfWork

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 255
T = TypeVar("T")
_KEPT_HEADERS = ("content-type", "cache-control", "etag", "location")


class BadKey(Invalid):
    code = "bad_idempotency_key"


class KeyReused(Invalid):
    """The key belongs to another request: 422."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """The first request with the key is not finished: 409."""

    code = "idempotency_key_running"


class NotRepeated(Conflict):
    """The first request succeeded, but its answer is not given again. *location* is what it made, if that has an
    address."""

    location: str | None = None


class SecretNotRepeated(NotRepeated):
    code = "secret_shown_once"


class AuthorityChanged(NotRepeated):
    code = "rights_changed_meanwhile"


async def change(request: Request, call: Call[Response]) -> Response:
    """Run *call*, a change that ends in its answer, in one writing transaction; once for each key of a caller. A
    SecretResponse is not kept, and its repetition is refused."""
    text = _key(request)
    if text is None:
        return await write(request, bearer, call)

    def once(work: UnitOfWork, actor: Actor) -> Response:
        key = _key_of(request, actor, text)
        known = _known(work, actor, key)
        if known is not None:
            return known
        response = call(work, actor)
        keep(work, actor, key, response)
        return response

    return await write(request, bearer, once)


async def change_in_steps(
    request: Request, prepare: Callable[[], Awaitable[T]], call: Callable[[UnitOfWork, Actor, T], Response]
) -> Response:
    """`change` where *prepare* does something slow before the transaction, and gives *call* its result. The key is
    reserved meanwhile."""
    text = _key(request)
    if text is None:
        prepared = await prepare()
        return await write(request, bearer, lambda work, actor: call(work, actor, prepared))

    def begin(work: UnitOfWork, actor: Actor) -> idempotency.Key | Response:
        key = _key_of(request, actor, text)
        known = _known(work, actor, key)
        if known is not None:
            return known
        idempotency.reserve(work, key)
        return key

    begun = await write(request, bearer, begin)
    if isinstance(begun, Response):
        return begun
    key = begun

    def finish(work: UnitOfWork, actor: Actor) -> Response:
        if not idempotency.is_reserved(work, key):  # it took so long that another request with the key did it
            known = _known(work, actor, key)
            if known is not None:
                return known
        response = call(work, actor, prepared)
        keep(work, actor, key, response)
        return response

    try:
        prepared = await prepare()
        return await write(request, bearer, finish)
    except Exception:
        await run_in_thread(partial(_release, request, key))
        raise


def _release(request: Request, key: idempotency.Key) -> None:
    """Nothing was done: the key is free. A crash instead leaves it reserved for a while."""
    with services_of(request).database.write() as work:
        if idempotency.is_reserved(work, key):
            idempotency.forget(work, key)


def keep(work: UnitOfWork, actor: Actor, key: idempotency.Key, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = None if isinstance(response, SecretResponse) else bytes(response.body)
    idempotency.keep(
        work, key, idempotency.Answer(key.request, _authority(actor, work.now), response.status_code, headers, body)
    )


def _known(work: UnitOfWork, actor: Actor, key: idempotency.Key) -> Response | None:
    """The answer that is kept for the same request. Raises KeyReused, StillRunning or NotRepeated."""
    kept = idempotency.find(work, key)
    if kept is None:
        return None
    if kept.request != key.request:
        raise KeyReused(
            "This Idempotency-Key was sent with another request. Choose a new key for each new request.", field=HEADER
        )
    if kept.status is None:
        raise StillRunning("The first request with this Idempotency-Key is not finished. Try again in a moment.")
    refusal: NotRepeated | None = None
    if kept.body is None:
        refusal = SecretNotRepeated(
            "This was done by your first request, whose answer held a secret that is shown only once. "
            "If it did not arrive, end that secret or token and make a new one."
        )
    elif kept.authority != _authority(actor, work.now):
        refusal = AuthorityChanged(
            "This was done by your first request. What you may see has changed since, so fetch what it made instead."
        )
    if refusal is not None:
        refusal.location = kept.headers.get("location")
        raise refusal
    return Response(kept.body, kept.status, {**kept.headers, REPLAYED: "true"})


def _key(request: Request) -> str | None:
    """The key that the caller chose. Raises BadKey."""
    text = request.headers.get(HEADER)
    if text is None or request.method != "POST":
        return None
    if not 1 <= len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable():
        raise BadKey(
            f"Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters; a UUID is a good one.", field=HEADER
        )
    return text


def _key_of(request: Request, actor: Actor, text: str) -> idempotency.Key:
    assert actor.account_id is not None  # a token always belongs to an account
    digest = hashlib.sha256()
    for part in (request.method.encode(), request.scope["path"].encode(), request.scope["query_string"]):
        digest.update(len(part).to_bytes(8) + part)
    digest.update(getattr(request.state, "body_digest", NO_BODY))
    return idempotency.Key(actor.account_id, hashlib.sha256(text.encode()).digest(), digest.digest())


def _authority(actor: Actor, now: datetime) -> bytes:
    """A digest of what the caller may do: an answer is not given again to somebody who may see less, or more."""
    collections = [[grant.base_id, int(grant.rights), sorted(grant.alternatives())] for grant in actor.rights.live(now)]
    databoxes: Iterable[tuple[int, int]] = ((box, int(rights)) for box, rights in actor.rights.databoxes.items())
    facts = [
        actor.is_admin,
        actor.rights_version,  # changes with what is held on single records as well
        None if actor.scope is None else sorted(actor.scope),
        sorted(collections),
        sorted(databoxes),
    ]
    return hashlib.sha256(msgspec.json.encode(facts)).digest()
