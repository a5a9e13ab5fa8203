"""Applications, their secrets, and the accounts through which people use them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NewType

from vitrine.applications.profiles import Switch, Switches
from vitrine.platform.texts import of_one_line, without_direction_marks

ApplicationId = NewType("ApplicationId", int)
AccountId = NewType("AccountId", int)
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


@dataclass(frozen=True, slots=True)
class Application:
    """A registered third-party application. `redirects` are all redirect addresses, `callback` is the first of them."""

    id: ApplicationId
    creator_id: int | None
    creator_name: str
    type: str
    name: str
    description: str
    website: str
    client_id: str
    activated: bool
    switches: Switches
    list_shapes: str
    redirects: tuple[str, ...]
    created: datetime
    updated: datetime
    kind: str = ""
    publisher: str = ""
    privacy_url: str = ""
    terms_url: str = ""
    contact: str = ""
    suspended_by: str = ""
    suspended_reason: str = ""
    approval: str = ""
    approval_reason: str = ""
    only_testers: bool = False
    logo: str = ""
    deleted_at: datetime | None = None
    scope_limit: list[str] | None = None
    token_redirects: frozenset[str] = frozenset()

    @property
    def own_redirects(self) -> tuple[str, ...]:
        """The redirect addresses that people registered, without those added with a token."""
        return tuple(address for address in self.redirects if address not in self.token_redirects)

    def within(self, scope: frozenset[str]) -> frozenset[str]:
        """The part of *scope* that the scope limit of its owner allows."""
        return scope if self.scope_limit is None else scope & frozenset(self.scope_limit)

    @property
    def is_machine(self) -> bool:
        """True if its secret alone may give access: by its kind, or by the switch."""
        return self.kind == "machine" or self.switches.is_on(Switch.ACTS_AS_OWNER)

    @property
    def is_for_testers(self) -> bool:
        """True if only its owners and test users can give it access."""
        return self.only_testers or self.approval not in ("", "yes")

    @property
    def made_by(self) -> str:
        """Who is named to people as its maker: the publisher, else the person who registered it."""
        return self.publisher or self.creator_name

    @property
    def shown(self) -> "Application":
        """The same for a page that asks for trust: older names may hold characters that turn the words around them."""
        return replace(
            self,
            name=of_one_line(self.name),
            publisher=of_one_line(self.publisher),
            creator_name=of_one_line(self.creator_name),
            description=without_direction_marks(self.description),
        )

    @property
    def callback(self) -> str:
        return self.redirects[0] if self.redirects else ""

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word[:1].isalnum()]
        return "".join(word[0] for word in words[:2]).upper() or "?"


@dataclass(frozen=True, slots=True)
class Secret:
    """A live client secret without its value. `expires` is set for the old secret of a rotation and for one made with a
    token that expires. `is_shared`: others than the first owner know it, so it cannot act in the owner's name."""

    id: int
    last_four: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    is_shared: bool = False
    made_by_account_id: int | None = None
    made_by_token_id: int | None = None

    @property
    def is_made_with_token(self) -> bool:
        return self.made_by_account_id is not None or self.made_by_token_id is not None


@dataclass(frozen=True, slots=True)
class Account:
    """One person's grant to one application. If `granted_at` is None, no consent was ever given.

    `requested_scope` holds the scopes about which the person has decided, `granted_scope` those that they allowed; None
    is everything (profile compatibility). `acts_alone_since` is set when the owner lets the application act for them by
    its secret alone."""

    id: AccountId
    user_id: int
    application_id: ApplicationId
    granted_at: datetime | None
    revoked_at: datetime | None
    last_used: datetime | None
    created: datetime
    granted_scope: list[str] | None = None
    requested_scope: list[str] | None = None
    acts_alone_since: datetime | None = None

    @property
    def is_granted(self) -> bool:
        return self.granted_at is not None and self.revoked_at is None


@dataclass(frozen=True, slots=True)
class Authorised:
    """A row of "Applications I authorised"."""

    application: Application
    account: Account
