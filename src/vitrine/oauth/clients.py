"""Client authentication at the token endpoint and related ones (RFC 6749 section 2.3, 01 section 4.1 row 3)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

import sqlalchemy as sa

from vitrine.applications import Application, ApplicationId, Applications, Policy, Switch
from vitrine.oauth.errors import TokenError
from vitrine.oauth.liveness import instant
from vitrine.platform.cache import Cache
from vitrine.platform.crypto import digest, same
from vitrine.platform.database import UnitOfWork
from vitrine.platform.prepared import Prepared
from vitrine.platform.schema import metadata

_REMEMBERED = 10_000
_NOBODYS = digest("nobody's secret")


def _statement() -> sa.Select[Any]:
    applications, secrets = metadata.tables["applications"].c, metadata.tables["application_secrets"].c
    return (
        sa.select(
            applications.id, applications.updated, applications.activated, applications.profile,
            applications.switches, secrets.digest, secrets.expires, secrets.is_shared,
        )
        .select_from(metadata.tables["applications"])
        .outerjoin(metadata.tables["application_secrets"], secrets.application_id == applications.id)
        .where(applications.client_id == sa.bindparam("client_id"), applications.deleted_at.is_(None))
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Client:
    """An authenticated or identified client. *authenticated*: it presented its secret; *by_header*: by HTTP Basic.
    *is_shared*: others than the first owner know that secret, so it cannot act in the owner's name."""

    application: Application
    authenticated: bool
    by_header: bool
    is_shared: bool = False


class Clients:
    """Authenticates with one statement; the application is cached by its row."""

    def __init__(self, applications: Applications, policy: Policy) -> None:
        self._applications = applications
        self._policy = policy
        self._prepared = Prepared(_statement())
        self._known: Cache[tuple[Any, ...], Application] = Cache("clients", _REMEMBERED)

    def authenticate(self, work: UnitOfWork, form: Mapping[str, str], authorization: str) -> Client:
        """Authenticate by HTTP Basic or by the body, not both. Raises TokenError, with one code for all failures."""
        raw = _credentials(authorization) if authorization.partition(" ")[0].lower() == "basic" else None
        # Both sides are form-encoded (RFC 6749 section 2.3.1).
        basic = None if raw is None else _form_decoded(raw)
        if basic is not None and self._says_twice(work, form, basic[0]):
            raise _refused("Send client credentials either in the header or in the body.", basic=False)
        client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        registered = self._find(work, client_id) if client_id else None
        presented = [digest(secret)]
        if raw is not None and raw != basic:
            # Most clients do not encode id and secret, and imported ones may contain `%` and `+` (design 5.5).
            registered = registered or self._find(work, raw[0])
            presented.append(digest(raw[1]))
        if registered is None:
            same(_NOBODYS, digest(secret))  # an unknown id takes as long as a known one
            raise _refused("The client is unknown.", basic=basic is not None)
        application, live = registered
        is_shared = False
        strictly = basic is not None and not application.switches.has_old_answers
        if secret:
            matching = [shared for stored, shared in live for secret_digest in presented if same(stored, secret_digest)]
            if not matching:
                raise _refused("The client secret is not right.", basic=strictly)
            is_shared = all(matching)
        elif application.switches.is_on(Switch.SECRET_REQUIRED, self._policy):
            raise _refused("The client secret is required.", basic=strictly)
        if not application.activated:
            raise TokenError("unauthorized_client", "The application is suspended.")
        return Client(application, bool(secret), basic is not None, is_shared)

    def has_old_answers(self, work: UnitOfWork, form: Mapping[str, str], authorization: str) -> bool:
        """True for a client with the answers of contract 01, and for one that is unknown. Raises TokenError if a client
        with the answers of the RFCs fails to authenticate."""
        is_basic = authorization.partition(" ")[0].lower() == "basic"
        client_id = _form_decoded(_credentials(authorization))[0] if is_basic else form.get("client_id", "")
        registered = self._find(work, client_id) if client_id else None
        if registered is None or registered[0].switches.has_old_answers:
            return True
        return self.authenticate(work, form, authorization).application.switches.has_old_answers

    def _says_twice(self, work: UnitOfWork, form: Mapping[str, str], client_id: str) -> bool:
        """True for two client identities in one request. Many libraries repeat the id of the header in the body, which
        is accepted except for the compatibility profile (01 section 4.1 row 3)."""
        if "client_secret" in form or form.get("client_id", client_id) != client_id:
            return True
        if "client_id" not in form:
            return False
        registered = self._find(work, client_id)
        return registered is None or registered[0].switches.has_old_answers

    def _find(self, work: UnitOfWork, client_id: str) -> tuple[Application, list[tuple[bytes, bool]]] | None:
        """The application with the digests of its live secrets, and whether each is shared."""
        rows = self._prepared.cached_raw(work, client_id)
        if not rows:
            return None
        key = (*rows[0][:4], str(rows[0][4]))  # the switches are text on one database, a mapping on the other
        known = self._known.get(key)
        if known is None:
            known = self._applications.by_client_id(work, client_id)
            if known is None or known.id != ApplicationId(rows[0][0]):
                return None
            self._known.keep(work, key, known)
        return known, [
            (bytes(stored), bool(shared))
            for *_, stored, expires, shared in rows
            if stored is not None and _is_valid(expires, work.now)
        ]


def _is_valid(expires: Any, now: datetime) -> bool:
    """True if a secret has not expired; the old one of a rotation has an expiry."""
    return expires is None or instant(expires) > now


def _refused(words: str, *, basic: bool) -> TokenError:
    """401 if the header was used, else 400, which old clients expect (RFC 6749 section 5.2, 01 §4.1 D)."""
    return TokenError("invalid_client", words, status=401 if basic else 400)


def _form_decoded(sides: tuple[str, str]) -> tuple[str, str]:
    """Both sides decoded as RFC 6749 appendix B says; unchanged if the result is not UTF-8."""
    try:
        return unquote_plus(sides[0], errors="strict"), unquote_plus(sides[1], errors="strict")
    except UnicodeDecodeError:
        return sides


def _credentials(header: str) -> tuple[str, str]:
    """The two sides of the header's colon, undecoded (RFC 7617 section 2).

    Raises TokenError (401, since the header was used) for a header that is malformed."""
    try:
        user, colon, password = (
            base64.b64decode(header.partition(" ")[2].strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        colon = user = password = ""
    if not colon:
        raise _refused("The Authorization header is malformed.", basic=True)
    return user, password
