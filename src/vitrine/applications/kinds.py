"""The four kinds of application, as the form names them. The kind decides the profile of design 5.3."""

from dataclasses import dataclass
from enum import StrEnum

from vitrine.applications.profiles import Profile


class ApplicationKind(StrEnum):
    SERVER = "server"
    PAGE = "page"
    DEVICE = "device"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """*type* is the type on the wire; the first of *profiles* is the default. *returns*: needs a redirect address."""

    type: str
    profiles: tuple[Profile, ...]
    returns: bool

    @property
    def profile(self) -> Profile:
        return self.profiles[0]


KIND_NAMES = frozenset(kind.value for kind in ApplicationKind)
KINDS = {
    ApplicationKind.SERVER: KindFacts("web", (Profile.STRICT, Profile.COMPATIBILITY), returns=True),
    ApplicationKind.PAGE: KindFacts("web", (Profile.PUBLIC,), returns=True),
    ApplicationKind.DEVICE: KindFacts("desktop", (Profile.DESKTOP,), returns=False),
    ApplicationKind.MACHINE: KindFacts("web", (Profile.STRICT,), returns=False),
}


def kind_of(stored: str, type_: str, profile: Profile) -> ApplicationKind:
    """The kind of an application, also of one that was registered before kinds existed."""
    if stored in KIND_NAMES:
        return ApplicationKind(stored)
    if type_ == "desktop":
        return ApplicationKind.DEVICE
    return ApplicationKind.PAGE if profile is Profile.PUBLIC else ApplicationKind.SERVER
