"""What a grant type is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vitrine.accounts import Accounts
from vitrine.applications import Application, Applications, Policy
from vitrine.oauth import scopes
from vitrine.oauth.errors import TokenError
from vitrine.oauth.notices import Notices
from vitrine.oauth.refresh import Rotation
from vitrine.oauth.tokens import Issued, Tokens
from vitrine.platform.database import Database

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GrantContext:
    """What every grant works with."""

    database: Database
    accounts: Accounts
    applications: Applications
    tokens: Tokens
    rotation: Rotation
    policy: Policy
    notices: Notices


def refuse_scope(form: Form) -> None:
    """Old applications have no scopes (01 section 4.1 row 10): asked for last, after what is wrong otherwise."""
    if form.get("scope", "") not in ("", "0"):
        raise TokenError("invalid_scope", "Scopes are not offered to this kind of application.")


def requested_scope(form: Form, application: Application) -> frozenset[str]:
    """The scopes of a request to the token endpoint. Raises TokenError."""
    try:
        return scopes.requested(form.get("scope"), application)
    except scopes.UnknownScope as unknown:
        raise TokenError(
            "invalid_scope", f"There is no scope called {unknown}, or the application may not have it."
        ) from unknown


class Grant(Protocol):
    def redeem(self, context: GrantContext, application: Application, form: Form, address: str) -> Issued:
        """Check what the client presents and issue a token. Raises TokenError. Opens its own transactions."""
        ...
