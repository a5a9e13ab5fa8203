"""What v1 specifies: formats, statuses, challenges (contract 02 sections 1 to 4; 01 section 5.4)."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts.errors import MayNotManage, TooManyMails
from vitrine.api.v1.json_body import NotJsonType, Undecodable, WrongShape
from vitrine.api.wire.challenges import resource_metadata
from vitrine.api.wire.endpoint import Conventions
from vitrine.api.wire.envelope import answer, refuse_unacceptable, refuse_wrong_callback
from vitrine.edge import refusals
from vitrine.edge.auth import TokenMissing, TwoCarriers
from vitrine.edge.fast.responses import CompleteResponse
from vitrine.errors import Conflict, DomainError
from vitrine.library.errors import MayNotAdd, MayNotChange, MayNotSee
from vitrine.oauth import InsufficientScope, TokenRefused
from vitrine.operations.tasks import NotAdministrator

STATUSES: refusals.Statuses = (
    (MayNotSee, 401),  # a missing right on a record, databox or collection is 401 here (02 section 3)
    (MayNotChange, 401),
    (NotAdministrator, 401),
    (MayNotManage, 401),
    (MayNotAdd, 403),  # except for adding (02 section 6.4)
    (Conflict, 400),
    (NotJsonType, 406),
    (Undecodable, 422),
    (WrongShape, 422),
    (TooManyMails, 429),  # the caller's limit, not the server's trouble
    *refusals.STATUSES,
)


def _refused(request: Request, refusal: DomainError, status: int) -> Response:
    return answer(request, None, status, error_details=refusal.detail, headers=refusals.headers_of(refusal))


def _broken(request: Request) -> Response:
    return answer(request, None, 500, error_details="")


def challenge(request: Request, status: int, error: str) -> Response:
    """A missing or wrong token gets no envelope: empty body, single quotes (01 section 5.4).

    The second challenge is for clients that know only Bearer (contract 08). It gives the address of the resource
    metadata (RFC 9728 section 5.1). Without a token it names no error (RFC 6750 section 3.1).
    """
    return CompleteResponse(status, _challenges(status, error, resource_metadata(request)))


@lru_cache(maxsize=64)
def _challenges(status: int, error: str, resource_metadata: str) -> tuple[tuple[bytes, bytes], ...]:
    error_part = f', error="{error}"' if status == 401 else ""
    return (
        (b"cache-control", b"no-store"),
        (b"content-length", b"0"),
        (b"www-authenticate", f"OAuth realm='Service', error='{error}'".encode()),
        (b"www-authenticate", f'Bearer realm="Service"{error_part}, {resource_metadata}'.encode()),
    )


def insufficient(request: Request, refusal: InsufficientScope) -> Response:
    """403 in the envelope, naming the missing scope in the text and in both challenges (RFC 6750 section 3.1)."""
    response = answer(request, None, 403, error_details=f"This needs the scope {refusal.scope}. {refusal.description}")
    scope = f'scope="{refusal.scope}", {resource_metadata(request)}'
    for value in (
        f"OAuth realm='Service', error='insufficient_scope', scope='{refusal.scope}'",
        f'Bearer realm="Service", error="insufficient_scope", {scope}',
    ):
        response.headers.append("WWW-Authenticate", value)
    return response


def _token_missing(request: Request, _refusal: TokenMissing) -> Response:
    return challenge(request, 400, "invalid_request")


def _token_refused(request: Request, refusal: TokenRefused) -> Response:
    return challenge(request, 400 if refusal.code == "invalid_request" else 401, refusal.code)


def _two_carriers(_request: Request, _refusal: TwoCarriers) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(b'{"error":"invalid_request"}', 400, headers, media_type="application/json")


def _admit(request: Request) -> Response | None:
    return refuse_unacceptable(request) or refuse_wrong_callback(request)


CONVENTIONS = Conventions(
    refused=_refused,
    statuses=STATUSES,
    challenges=(
        (TokenMissing, _token_missing),
        (InsufficientScope, insufficient),
        (TokenRefused, _token_refused),
        (TwoCarriers, _two_carriers),
    ),
    broken=_broken,
    admit=_admit,
)
