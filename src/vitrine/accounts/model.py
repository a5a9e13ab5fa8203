"""Users, sessions, and the Actor: who makes a request, and with which authority."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from vitrine.accounts.rights import NO_RIGHTS, Rights

UserId = NewType("UserId", int)
SessionId = NewType("SessionId", int)
ADMINISTRATION = "administration"  # the scope of `oauth.scopes`


class Via(StrEnum):
    """How the actor was authenticated."""

    NOBODY = "nobody"
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a kind of proof, not a secret
    COMMAND = "command"


class OpenedBy(StrEnum):
    """The first step of the sign-in that opened a session."""

    PASSWORD = "password"  # noqa: S105 - a kind of proof, not a secret
    PASSKEY = "passkey"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a person signed in. *authenticator_id* is the passkey or the linked identity; *second_factor* is true if a
    code was entered too."""

    by: OpenedBy
    authenticator_id: int | None = None
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class User:
    id: UserId
    login: str
    email: str | None
    first_name: str
    last_name: str
    gender: int | None
    address: str
    zip_code: str
    city: str
    country: str
    geoname_id: int | None
    phone: str
    fax: str
    job: str
    activity: str
    company: str
    locale: str | None
    is_admin: bool
    is_guest: bool
    mail_locked: bool
    rights_version: int
    url_key: int
    auth_version: int
    last_connection: datetime | None
    created: datetime
    updated: datetime

    @property
    def display_name(self) -> str:
        """First and last name, else e-mail address, else login (as the original shows a person)."""
        return f"{self.first_name} {self.last_name}".strip() or self.email or self.login

    @property
    def public_name(self) -> str:
        """First and last name, else login: what anybody may read of a person."""
        return f"{self.first_name} {self.last_name}".strip() or self.login


@dataclass(frozen=True, slots=True)
class Session:
    """An open sign-in. `auth_time` is when the password was last given: secrets are shown only shortly after."""

    id: SessionId
    user_id: UserId
    created: datetime
    auth_time: datetime
    last_seen: datetime
    expires: datetime
    address: str
    agent: str
    opened_by: str | None = None
    authenticator_id: int | None = None
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a request. Services take it right after the unit of work and check its rights for the very object.

    `application_id`, `account_id` and `token_id` are set if a third-party application acts for the person; `scope` is
    what that application may do, None for everything that the person may do.
    """

    via: Via
    user_id: UserId | None = None
    login: str = ""
    display_name: str = ""
    is_admin: bool = False
    url_key: int = 1
    locale: str | None = None
    rights: Rights = NO_RIGHTS
    rights_version: int = 0
    session: Session | None = None
    application_id: int | None = None
    account_id: int | None = None
    token_id: int | None = None
    scope: frozenset[str] | None = None
    address: str = ""

    @property
    def is_known(self) -> bool:
        return self.user_id is not None

    @property
    def administers(self) -> bool:
        """True for an administrator, unless a token with scopes lacks the scope `administration`."""
        return self.is_admin and (self.scope is None or ADMINISTRATION in self.scope)

    @property
    def must_user_id(self) -> UserId:
        """The id of the user, for code that runs only for signed-in people."""
        if self.user_id is None:
            raise RuntimeError("this call needs a known user")
        return self.user_id


NOBODY = Actor(via=Via.NOBODY)
COMMAND = Actor(via=Via.COMMAND, login="command line", display_name="Command line", is_admin=True)
