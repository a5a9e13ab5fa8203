"""What an application may do, in one table (design 5.3): a column for each of four profiles, a row for each switch.

The table is data that services, pages and tests read, so each rule is in one place.
"""

from dataclasses import dataclass
from enum import StrEnum


class Profile(StrEnum):
    STRICT = "strict"
    COMPATIBILITY = "compatibility"
    DESKTOP = "desktop"
    PUBLIC = "public"


class Cell(StrEnum):
    """ON and OFF are defaults that the owner may change; ALWAYS and NEVER are fixed."""

    ALWAYS = "always"
    ON = "on"
    OFF = "off"
    NEVER = "never"


class Switch(StrEnum):
    PASSWORD_GRANT = "password_grant"  # noqa: S105 - the name of a switch
    IMPLICIT = "implicit"
    PARAMETER_TOKEN = "parameter_token"  # noqa: S105 - the name of a switch
    SECRET_REQUIRED = "secret_required"  # noqa: S105 - the name of a switch
    PKCE_REQUIRED = "pkce_required"
    ENDLESS_TOKEN = "endless_token"  # noqa: S105 - the name of a switch
    ACTS_AS_OWNER = "acts_as_owner"


class RedirectMatch(StrEnum):
    EXACT = "exact"
    PREFIX = "prefix"
    NATIVE = "native"


S, C, D, P = Profile.STRICT, Profile.COMPATIBILITY, Profile.DESKTOP, Profile.PUBLIC

TABLE: dict[Switch, dict[Profile, Cell]] = {
    Switch.PASSWORD_GRANT: {S: Cell.OFF, C: Cell.OFF, D: Cell.OFF, P: Cell.NEVER},
    Switch.IMPLICIT: {S: Cell.NEVER, C: Cell.ON, D: Cell.OFF, P: Cell.NEVER},
    Switch.PARAMETER_TOKEN: {S: Cell.NEVER, C: Cell.ON, D: Cell.OFF, P: Cell.NEVER},
    Switch.SECRET_REQUIRED: {S: Cell.ALWAYS, C: Cell.ON, D: Cell.NEVER, P: Cell.NEVER},
    Switch.PKCE_REQUIRED: {S: Cell.ALWAYS, C: Cell.NEVER, D: Cell.ALWAYS, P: Cell.ALWAYS},
    Switch.ENDLESS_TOKEN: {S: Cell.NEVER, C: Cell.ALWAYS, D: Cell.OFF, P: Cell.NEVER},
    # Client credentials involve no person, so the owner must allow them to act in their name (docs/decisions/0041).
    Switch.ACTS_AS_OWNER: {S: Cell.OFF, C: Cell.NEVER, D: Cell.NEVER, P: Cell.NEVER},
}
REDIRECTS = {S: RedirectMatch.EXACT, C: RedirectMatch.PREFIX, D: RedirectMatch.NATIVE, P: RedirectMatch.NATIVE}
# What a client may request under the policy ALLOW even if its owner has not switched it on.
CLIENT_REQUESTED = frozenset({Switch.PASSWORD_GRANT, Switch.IMPLICIT, Switch.PARAMETER_TOKEN})
DEPRECATED_FEATURES = CLIENT_REQUESTED | {Switch.ENDLESS_TOKEN}


class Policy(StrEnum):
    """The server's policy on deprecated features (`settings.deprecated_features`)."""

    REFUSE = "refuse"
    FLAGGED = "flagged"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Switches:
    """The switches of one application: its profile, and what its owner chose."""

    profile: Profile
    chosen: dict[str, bool]

    def is_on(self, switch: Switch, policy: Policy = Policy.FLAGGED) -> bool:
        """Whether the feature works now (docs/decisions/0025).

        Under REFUSE deprecated features are off and the secret is always required. Under ALLOW the features that a
        client may request are on unless the owner switched them off. Fixed cells of the table hold under every policy.
        """
        cell = TABLE[switch][self.profile]
        if cell in (Cell.ALWAYS, Cell.NEVER):
            return cell is Cell.ALWAYS
        if policy is Policy.REFUSE and (switch in DEPRECATED_FEATURES or switch is Switch.SECRET_REQUIRED):
            return switch is Switch.SECRET_REQUIRED
        default = cell is Cell.ON or (switch in CLIENT_REQUESTED and policy is Policy.ALLOW)
        return self.chosen.get(switch.value, default)

    def can_choose(self, switch: Switch) -> bool:
        return TABLE[switch][self.profile] in (Cell.ON, Cell.OFF)

    @property
    def has_old_answers(self) -> bool:
        """True for answers in the form of contract 01 (`scope` null, errors undescribed), False for the RFCs' form."""
        return self.profile is Profile.COMPATIBILITY

    @property
    def has_scopes(self) -> bool:
        """False for the compatibility profile, whose tokens mean everything that the person may (01 section 5.2)."""
        return self.profile is not Profile.COMPATIBILITY

    @property
    def may_offer_devices(self) -> bool:
        """True if it may request device codes (RFC 8628): every profile except compatibility, whose answers have no
        place for them."""
        return self.profile is not Profile.COMPATIBILITY

    @property
    def is_confidential(self) -> bool:
        """True if the application can keep a secret (RFC 6749 section 2.1)."""
        return self.profile in (Profile.STRICT, Profile.COMPATIBILITY)

    @property
    def redirects(self) -> RedirectMatch:
        return REDIRECTS[self.profile]
