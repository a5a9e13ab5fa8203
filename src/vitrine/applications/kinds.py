"""The four kinds of application, in the words of the form; each decides the profile of design 5.3."""

from dataclasses import dataclass
from enum import StrEnum

from vitrine.applications.profiles import Profile, RedirectMatch


class Kind(StrEnum):
    SERVER = "server"
    PAGE = "page"
    DEVICE = "device"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """*type* is the word of the wire; *profile* None leaves the choice to `Applications.create`."""

    type: str
    profile: Profile | None
    returns: bool


KIND_NAMES = frozenset(one.value for one in Kind)
KINDS = {
    Kind.SERVER: KindFacts("web", None, returns=True),
    Kind.PAGE: KindFacts("web", Profile.PUBLIC, returns=True),
    Kind.DEVICE: KindFacts("desktop", Profile.DESKTOP, returns=False),
    Kind.MACHINE: KindFacts("web", Profile.STRICT, returns=False),
}


def kind_of(given: str, type_: str, profile: Profile) -> Kind:
    """The kind of an application, also of one that was registered before there were kinds."""
    if given in KIND_NAMES:
        return Kind(given)
    if type_ == "desktop":
        return Kind.DEVICE
    return Kind.PAGE if profile is Profile.PUBLIC else Kind.SERVER


def may_have_scheme(match: RedirectMatch) -> bool:
    """True where an address may begin with the application's own scheme (RFC 8252 section 7.1)."""
    return match is RedirectMatch.NATIVE
