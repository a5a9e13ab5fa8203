"""Which event ends which credential: one table, executed by the services and used to generate the tests.

A service that changes a password, removes a person or withdraws a consent calls `CredentialRevocation.end_credentials`
in the transaction of the change, and the table says what ends. The capability that creates a credential knows how to
end it (`accounts.revokers`, `applications.revokers`, `oauth.revokers`); the composition root combines them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vitrine.accounts.model import SessionId, UserId
from vitrine.platform.database import UnitOfWork


class Credential(StrEnum):
    """Anything that gives access, in the words of the reference page."""

    CURRENT_SESSION = "session in which it is done"
    PASSWORD_SESSION = "session opened by password"  # noqa: S105 - a kind, not a secret
    SECOND_FACTOR_SESSION = "session opened by password and second factor"
    PASSKEY_SESSION = "session opened by passkey"
    PROVIDER_SESSION = "session opened by identity provider"
    PENDING_SIGN_IN = "sign-in that awaits its second step"
    PASSWORD_LINK = "link to choose a password, in a mail"  # noqa: S105
    EMAIL_LINK = "link to confirm an address, in a mail"
    TOKENS_LINK = "link to end developer tokens, in a mail"
    RESET_TOKEN = "token to set a password, given to an application"  # noqa: S105
    CONFIRMATION_LINK = "link to confirm a new account, in a mail"
    UNLOCK_TOKEN = "token to unlock a new account, given to an application"  # noqa: S105
    SIGNED_ADDRESS = "signed address of a document"
    FEED_ADDRESS = "address of feeds for a feed reader"
    DELEGATION = "work that goes on in a person's name after the request"
    AUTHORIZATION_CODE = "authorization code"
    PENDING_DEVICE_CODE = "device code nobody has decided about"
    DEVICE_CODE = "device code that was allowed"
    REFRESH_TOKEN = "refresh token"  # noqa: S105
    ACCESS_TOKEN = "access token"  # noqa: S105
    DEVELOPER_TOKEN = "developer token of the settings page"  # noqa: S105
    NAMED_TOKEN = "named developer token"  # noqa: S105
    ACTS_AS_OWNER = "client credentials that act as the owner"
    MADE_WITH_TOKEN = "token, secret or address made with an application's token"  # noqa: S105
    CONSENT = "consent"
    CLIENT_SECRET = "client secret"  # noqa: S105


class Event(StrEnum):
    """What ends credentials. Each is about one person, one application, or one person at one application."""

    PASSWORD_CHANGED = "password changed by its owner"  # noqa: S105
    PASSWORD_RESET = "password reset by mail"  # noqa: S105
    PASSWORD_GIVEN = "password given by an administrator"  # noqa: S105
    ADDRESS_CHANGED = "address changed by its owner"
    ADDRESS_GIVEN = "address given by an administrator"
    SECOND_FACTOR_REMOVED = "second factor removed"
    PASSKEY_REMOVED = "passkey removed"
    PROVIDER_UNLINKED = "identity provider unlinked"
    PERSON_SUSPENDED = "person suspended"
    ACCOUNT_CLOSED = "account closed"
    EVERYTHING_ENDED = "everything of a person ended"
    DEVELOPER_TOKENS_ENDED = "all developer tokens of a person ended"
    APPLICATION_SUSPENDED = "application suspended"
    APPLICATION_DELETED = "application deleted"
    APPLICATION_TOKENS_ENDED = "every token of an application ended"
    ACTING_WITHDRAWN = "client credentials no longer act as the owner"
    CONSENT_WITHDRAWN = "consent withdrawn"
    TESTER_REMOVED = "tester removed"
    CO_OWNER_REMOVED = "co-owner removed"
    OWNER_CHANGED = "owner changed"


class Effect(StrEnum):
    """What an event does to a credential."""

    ENDS = "ends"
    ENDS_IF_TICKED = "ends if ticked"
    REFUSED = "refused while it lasts"  # nothing is deleted: every use is checked
    ROTATION_OFFERED = "rotation offered if seen"
    STAYS = "stays"


_SIGN_INS = (
    Credential.PASSWORD_SESSION, Credential.SECOND_FACTOR_SESSION, Credential.PASSKEY_SESSION,
    Credential.PROVIDER_SESSION, Credential.PENDING_SIGN_IN,
)  # fmt: skip
_UNLOCKING = (Credential.CONFIRMATION_LINK, Credential.UNLOCK_TOKEN)
_LINKS = (
    Credential.PASSWORD_LINK, Credential.EMAIL_LINK, Credential.TOKENS_LINK, Credential.RESET_TOKEN, *_UNLOCKING,
)  # fmt: skip
_CODES = (Credential.AUTHORIZATION_CODE, Credential.DEVICE_CODE)
_TOKENS = (Credential.REFRESH_TOKEN, Credential.ACCESS_TOKEN)
_DEVELOPER_TOKENS = (Credential.DEVELOPER_TOKEN, Credential.NAMED_TOKEN)
_AT_ONE_APPLICATION = (
    *_CODES, *_TOKENS, *_DEVELOPER_TOKENS, Credential.MADE_WITH_TOKEN, Credential.ACTS_AS_OWNER,
)  # fmt: skip
_OF_AN_APPLICATION = (
    *_CODES, Credential.PENDING_DEVICE_CODE, *_TOKENS, *_DEVELOPER_TOKENS, Credential.ACTS_AS_OWNER,
    Credential.CONSENT, Credential.CLIENT_SECRET,
)  # fmt: skip


def _row(
    *ends: Credential,
    if_ticked: tuple[Credential, ...] = (),
    refused: tuple[Credential, ...] = (),
    offered: tuple[Credential, ...] = (),
) -> Mapping[Credential, Effect]:
    named = {
        **dict.fromkeys(ends, Effect.ENDS),
        **dict.fromkeys(if_ticked, Effect.ENDS_IF_TICKED),
        **dict.fromkeys(refused, Effect.REFUSED),
        **dict.fromkeys(offered, Effect.ROTATION_OFFERED),
    }
    return {credential: named.get(credential, Effect.STAYS) for credential in Credential}


_NEW_PASSWORD = (
    Credential.CURRENT_SESSION, *_SIGN_INS, *_LINKS, *_CODES, *_TOKENS, Credential.FEED_ADDRESS, Credential.DELEGATION,
)  # fmt: skip
_SECRET = (Credential.CLIENT_SECRET,)
_ALL = tuple(credential for credential in Credential if credential not in (Credential.PENDING_DEVICE_CODE, *_SECRET))

TABLE: Mapping[Event, Mapping[Credential, Effect]] = {
    Event.PASSWORD_CHANGED: _row(
        *_SIGN_INS, *_LINKS, *_CODES, Credential.FEED_ADDRESS, if_ticked=(*_TOKENS, Credential.DELEGATION)
    ),
    Event.PASSWORD_RESET: _row(*_NEW_PASSWORD),
    Event.PASSWORD_GIVEN: _row(*_NEW_PASSWORD),
    Event.ADDRESS_CHANGED: _row(Credential.PENDING_SIGN_IN, *_LINKS),
    Event.ADDRESS_GIVEN: _row(Credential.PENDING_SIGN_IN, *_LINKS),
    Event.SECOND_FACTOR_REMOVED: _row(Credential.SECOND_FACTOR_SESSION, Credential.PENDING_SIGN_IN),
    Event.PASSKEY_REMOVED: _row(Credential.PASSKEY_SESSION, Credential.PENDING_SIGN_IN),
    Event.PROVIDER_UNLINKED: _row(Credential.PROVIDER_SESSION, Credential.PENDING_SIGN_IN),
    # What unlocks a new account would lift the suspension.
    Event.PERSON_SUSPENDED: _row(
        *_UNLOCKING, refused=tuple(credential for credential in _ALL if credential not in _UNLOCKING)
    ),
    Event.ACCOUNT_CLOSED: _row(*_ALL, offered=_SECRET),
    Event.EVERYTHING_ENDED: _row(
        *(credential for credential in _ALL if credential not in (Credential.CONSENT, Credential.CURRENT_SESSION))
    ),
    Event.DEVELOPER_TOKENS_ENDED: _row(*_DEVELOPER_TOKENS, Credential.MADE_WITH_TOKEN, Credential.TOKENS_LINK),
    Event.APPLICATION_SUSPENDED: _row(Credential.MADE_WITH_TOKEN, refused=_OF_AN_APPLICATION),
    Event.APPLICATION_DELETED: _row(Credential.MADE_WITH_TOKEN, refused=_OF_AN_APPLICATION),
    Event.APPLICATION_TOKENS_ENDED: _row(*_CODES, Credential.PENDING_DEVICE_CODE, *_TOKENS, Credential.MADE_WITH_TOKEN),
    Event.ACTING_WITHDRAWN: _row(Credential.ACCESS_TOKEN, Credential.ACTS_AS_OWNER, Credential.MADE_WITH_TOKEN),
    Event.CONSENT_WITHDRAWN: _row(*_AT_ONE_APPLICATION, Credential.CONSENT, offered=_SECRET),
    Event.TESTER_REMOVED: _row(*_AT_ONE_APPLICATION, offered=_SECRET),
    Event.CO_OWNER_REMOVED: _row(*_AT_ONE_APPLICATION, offered=_SECRET),
    Event.OWNER_CHANGED: _row(*_AT_ONE_APPLICATION, offered=_SECRET),
}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event with its person and application: *user_id* None is everybody, *application_id* None every application.

    *current* is the session in which it is done, *authenticator_id* the passkey or linked identity that was removed.
    *ticked*: the person chose that what `ENDS_IF_TICKED` ends too."""

    event: Event
    user_id: UserId | None = None
    application_id: int | None = None
    current: SessionId | None = None
    authenticator_id: int | None = None
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class DeveloperTokenLine:
    """A developer token as shown to a person; *name* is empty for the token of the settings page."""

    application: str
    name: str
    last_four: str
    created: datetime

    @property
    def words(self) -> str:
        return " ".join(f"{self.application}: {self.name or 'developer token'} …{self.last_four}".split())


Revoker = Callable[[UnitOfWork, Occurrence], int]


class CredentialRevocation:
    """Executes the table. *revokers* end each kind of credential; *developer_tokens* lists those of a person."""

    def __init__(
        self,
        revokers: Mapping[Credential, Revoker],
        developer_tokens: Callable[[UnitOfWork, UserId], list[DeveloperTokenLine]],
    ) -> None:
        missing = set(Credential) - set(revokers)
        if missing:
            raise RuntimeError(f"nothing ends these credentials: {', '.join(sorted(missing))}")
        self._revokers = revokers
        self.developer_tokens = developer_tokens

    def end_credentials(self, work: UnitOfWork, occurrence: Occurrence) -> dict[Credential, int]:
        """End what the table says, in the transaction of the event. Returns how many of each kind ended."""
        return {
            credential: self._revokers[credential](work, occurrence)
            for credential, effect in TABLE[occurrence.event].items()
            if _is_due(effect, occurrence)
        }


def _is_due(effect: Effect, occurrence: Occurrence) -> bool:
    ticked = effect is Effect.ENDS_IF_TICKED and occurrence.ticked
    return ticked or effect in (Effect.ENDS, Effect.ROTATION_OFFERED)
