"""Authorization codes: one use, 60 seconds (10 minutes out of band), bound to account, address and challenge."""

import base64
import hashlib
import re
from datetime import datetime

from vitrine.applications import Application
from vitrine.oauth import redirect_matching, store
from vitrine.oauth.errors import TokenError
from vitrine.oauth.lifetimes import CODE_LIFETIME, OUT_OF_BAND_CODE_LIFETIME
from vitrine.platform import audit
from vitrine.platform.crypto import digest, is_mistyped, new_secret, same
from vitrine.platform.database import UnitOfWork

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def issue(
    work: UnitOfWork,
    account_id: int,
    redirect_uri: str,
    challenge: str | None,
    *,
    names_redirect_uri: bool = True,
    scope: frozenset[str] | None = None,
    nonce: str | None = None,
    authenticated: datetime | None = None,
) -> str:
    """A new code. *names_redirect_uri*: the request had a redirect_uri, so the exchange must repeat it."""
    code = new_secret("ac")
    life = OUT_OF_BAND_CODE_LIFETIME if redirect_matching.is_out_of_band(redirect_uri) else CODE_LIFETIME
    store.add_code(
        work,
        {
            "digest": digest(code),
            "account_id": account_id,
            "redirect_uri": redirect_uri,
            "names_redirect_uri": names_redirect_uri,
            "code_challenge": challenge,
            "scope": None if scope is None else sorted(scope),
            "nonce": nonce,
            "authenticated": authenticated,
            "issued": work.now,
            "expires": work.now + life,
        },
    )
    return code


class Replayed(TokenError):
    """A code was used a second time. The caller must still commit, since the tokens of the first use were revoked."""


def redeem(
    work: UnitOfWork, application: Application, code: str, redirect_uri: str | None, verifier: str | None
) -> store.Code:
    """Use up the code and return its row. Raises TokenError (01 section 4.1 rows 5 and 6), Replayed for a second
    use."""
    stored = None if is_mistyped(code) else store.code_by_digest(work, digest(code))
    if stored is None or stored.application_id != application.id or stored.is_closed:
        raise TokenError("invalid_grant", "The code is unknown or was given to another application.")
    if stored.used_at is not None or not store.use_code(work, stored.id):
        gone = store.delete_tokens_of_code(work, stored.id)
        audit.write(work, None, "code.replayed", f"application {application.id}", {"tokens_revoked": gone})
        raise Replayed("invalid_grant", "The code was used already.")
    if not redirect_uri:
        if stored.names_redirect_uri:
            raise TokenError("invalid_request", "redirect_uri is required, as in the authorisation request.")
    elif not _same_address(application, redirect_uri, stored.redirect_uri):
        raise TokenError("invalid_grant", "redirect_uri is not the one of the authorisation request.")
    if stored.expires <= work.now:
        raise TokenError("expired_token", "The code is too old.")
    _check_verifier(stored.code_challenge, verifier)
    return stored


def _same_address(application: Application, given: str, stored: str) -> bool:
    """Equal, or for the compatibility profile an extension of it at a boundary (01 section 4)."""
    if given == stored:
        return True
    return redirect_matching.extends(application, given, stored)


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    """RFC 7636 section 4.6; a verifier without challenge is refused too (RFC 9700 section 2.1.1, downgrade)."""
    if challenge is None:
        if verifier:
            raise TokenError("invalid_grant", "A code_verifier was sent, but the code was asked for without PKCE.")
        return
    if not verifier or not _VERIFIER.fullmatch(verifier):
        raise TokenError("invalid_grant", "code_verifier is missing or malformed.")
    challenge_of_verifier = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not same(challenge_of_verifier, challenge):
        raise TokenError("invalid_grant", "code_verifier does not belong to this code.")
