"""Third-party applications: registration, settings, secrets and consents."""

from vitrine.applications.checks import LIST_SHAPES, Draft, Imported
from vitrine.applications.errors import BadApplication, NoSuchApplication
from vitrine.applications.kinds import KINDS, ApplicationKind, kind_of
from vitrine.applications.model import OUT_OF_BAND, Account, Application, ApplicationId, Authorised
from vitrine.applications.profiles import Policy, Profile, RedirectMatch, Switch, Switches
from vitrine.applications.registration import ApplicationRegistration
from vitrine.applications.service import Applications

__all__ = [
    "KINDS",
    "LIST_SHAPES",
    "OUT_OF_BAND",
    "Account",
    "Application",
    "ApplicationId",
    "ApplicationKind",
    "ApplicationRegistration",
    "Applications",
    "Authorised",
    "BadApplication",
    "Draft",
    "Imported",
    "NoSuchApplication",
    "Policy",
    "Profile",
    "RedirectMatch",
    "Switch",
    "Switches",
    "kind_of",
]
