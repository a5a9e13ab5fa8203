"""Which redirect addresses each kind of application may register, and how to mend one it may not (RFC 8252, 9700)."""

import re
from urllib.parse import urlsplit

from vitrine.applications.checks import LONGEST_URL, bad_callback
from vitrine.applications.kinds import KIND_NAMES, ApplicationKind, kind_of
from vitrine.applications.model import OUT_OF_BAND, Application
from vitrine.applications.profiles import Profile

LOOPBACK = ("127.0.0.1", "::1", "localhost")
NATIVE = (ApplicationKind.PAGE, ApplicationKind.DEVICE)
# What follows the scheme is written into a Location header: ASCII without controls and backslashes.
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/[!-\[\]-~]*")
_NO_SCHEME = re.compile(r"[A-Za-z0-9.-]+:[0-9]{1,5}(/[^\s\\]*)?")  # `localhost:3000`, which reads as a scheme
_WEB = ("", "http", "https")


def bad_redirect(address: str, application: Application | None, kind: str = "") -> str | None:
    """What is wrong with a redirect address and what to do, as a sentence; None if it can be used.

    The rules are those of the *application*, or of the *kind* of one that does not exist yet."""
    if application is not None:
        kind = kind_of(application.kind, application.type, application.switches.profile).value
        return fault_of(address, ApplicationKind(kind), application.switches.profile)
    wanted = ApplicationKind(kind) if kind in KIND_NAMES else ApplicationKind.SERVER
    return fault_of(address, wanted, Profile.STRICT)


def fault_of(address: str, kind: ApplicationKind, profile: Profile) -> str | None:
    """The same for a kind under a profile. Profile compatibility accepts what the original did (01 section 2)."""
    if address == OUT_OF_BAND:
        return (
            None
            if kind is ApplicationKind.DEVICE
            else "Only desktop programs use the address for codes that people copy."
        )
    if kind is ApplicationKind.MACHINE:
        return "A machine sends nobody anywhere: it needs no address. Change the kind first."
    if _NO_SCHEME.fullmatch(address):
        return "Write http:// or https:// before it, such as http://localhost:3000/."
    scheme = _scheme(address)
    if scheme not in _WEB:
        return _own_scheme(address, kind)
    fault = bad_callback(address)
    if fault is not None or profile is Profile.COMPATIBILITY:
        return fault
    if scheme == "http" and not is_loopback(address):
        return (
            "Write https://. An address with http:// is only for the person's own machine, such as http://127.0.0.1/."
        )
    return None


def is_loopback(address: str) -> bool:
    """True for a loopback address (RFC 8252 section 7.3)."""
    try:
        return urlsplit(address).hostname in LOOPBACK
    except ValueError:
        return False


def _own_scheme(address: str, kind: ApplicationKind) -> str | None:
    """A private-use scheme is a reversed domain name (RFC 8252 section 7.1). Others could collide with those of other
    programs or mean something to the browser, such as `javascript`."""
    if kind not in NATIVE:
        return "This must be a whole web address, beginning with https://."
    if len(address) > LONGEST_URL or not _OWN_SCHEME.fullmatch(address):
        return "A scheme of your own is a domain name backwards, such as com.example.app:/return."
    if "#" in address:
        return "A callback URL cannot have a part after #."
    return None


def _scheme(address: str) -> str:
    try:
        return urlsplit(address).scheme if ":" in address else ""
    except ValueError:
        return ""
