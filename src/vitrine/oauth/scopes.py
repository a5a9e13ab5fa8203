"""The scopes, in words for people (docs/decisions/0042).

A scope is a capability, not a route: `library:read` covers everything that only reads. Applications of the
compatibility profile have no scopes; their tokens allow everything that the person may do (01 section 5.2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from vitrine.accounts.model import ADMINISTRATION
from vitrine.applications import Application, Profile

OPENID = "openid"
REPORTS = "reports"


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope: its name on the wire, and its description on the consent page."""

    name: str
    words: str
    is_powerful: bool = False


SCOPES: tuple[Scope, ...] = (
    Scope("library:read", "See the documents that you can see, and how they are arranged"),
    Scope("search", "Search in your documents"),
    Scope("originals", "Fetch original files"),
    Scope("upload", "Add documents in your name", is_powerful=True),
    Scope("metadata:edit", "Change titles, captions, marks and the place of documents", is_powerful=True),
    Scope("delete", "Delete documents and replace files", is_powerful=True),
    Scope("baskets", "See and change your baskets, and vote in those of others"),
    Scope("baskets:share", "Share your baskets, send documents to people and ask them to vote", is_powerful=True),
    Scope("feeds", "Read feeds, and publish in them where you may"),
    Scope("orders", "Order documents, and answer orders where you may"),
    Scope("quarantine", "See and settle what waits in quarantine", is_powerful=True),
    Scope("structure", "Arrange the databoxes and collections that you manage", is_powerful=True),
    Scope(REPORTS, "See who uses the documents on which you may report, and how often", is_powerful=True),
    Scope("account:read", "Read your profile and what you may do"),
    Scope("account:edit", "Change your profile", is_powerful=True),
    Scope("account:close", "Close your account for good", is_powerful=True),
    Scope("users", "Make accounts, and manage people and what they may do, where you may", is_powerful=True),
    Scope("applications", "See and change the applications that you registered", is_powerful=True),
    Scope(ADMINISTRATION, "Do in your name what administrators do", is_powerful=True),
    Scope(OPENID, "Know who you are when you sign in there"),
    Scope("profile", "Know your name and your language"),
    Scope("email", "Know your e-mail address"),
)
BY_NAME = {scope.name: scope for scope in SCOPES}
IDENTITY = frozenset({OPENID, "profile", "email"})
_ORDER = {scope.name: place for place, scope in enumerate(SCOPES)}
# The default scope of a request that names none (RFC 6749 section 3.3): read-only, or everything for desktop
# applications, since existing ones know no scopes.
READ_ONLY = frozenset({"library:read", "search", "account:read"})
EVERYTHING = frozenset(BY_NAME) - IDENTITY


class UnknownScope(ValueError):
    """A scope is unknown or outside the scope limit of the application: `invalid_scope`."""


def requested(text: str | None, application: Application) -> frozenset[str]:
    """The scopes of a `scope` parameter, within the scope limit of the application (RFC 6749 section 3.3 allows this).
    Unknown ones beside `openid` are ignored, such as `offline_access` and `address` (OpenID Connect Core section
    3.1.2.1). Raises UnknownScope, also if no scope is left."""
    names = frozenset((text or "").split(" ")) - {""}
    unknown = names - set(BY_NAME)
    if OPENID in names:
        names -= unknown
    elif unknown:
        raise UnknownScope(min(unknown))
    names = names or (EVERYTHING if application.switches.profile is Profile.DESKTOP else READ_ONLY)
    left = application.within(names)
    if not left:
        raise UnknownScope(min(names))
    return left


def written(names: Iterable[str]) -> str:
    """As on the wire, in the order of the table."""
    return " ".join(ordered(names))


def ordered(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))


def offered(names: Iterable[str], *, is_admin: bool) -> list[Scope]:
    """The scopes of *names* that a person can grant: only an administrator can let an application administrate."""
    return [scope for scope in described(names) if is_admin or scope.name != ADMINISTRATION]


def described(names: Iterable[str]) -> list[Scope]:
    """The scopes of *names* for a page; a name that is no longer in the table describes itself."""
    return [BY_NAME.get(name, Scope(name, name)) for name in ordered(names)]
