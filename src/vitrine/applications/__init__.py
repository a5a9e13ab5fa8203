"""Third-party applications: registration, settings, secrets, and who allowed them."""

from vitrine.applications.errors import BadApplication, NoSuchApplication
from vitrine.applications.model import OUT_OF_BAND, Account, Application, ApplicationId, Authorised
from vitrine.applications.profiles import Policy, Profile, RedirectMatch, Switch, Switches
from vitrine.applications.service import LIST_SHAPES, Applications, Draft, Imported

__all__ = [
    "LIST_SHAPES",
    "OUT_OF_BAND",
    "Account",
    "Application",
    "ApplicationId",
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
]
