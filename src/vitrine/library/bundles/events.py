"""Events of bundles."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BundleMade:
    """Somebody asked for files of several records; *recipients* are how many people get a link by mail."""

    bundle_id: int
    user_id: int
    files: int
    recipients: int


@dataclass(frozen=True, slots=True)
class BundleReady:
    bundle_id: int
    user_id: int
    refused: int


@dataclass(frozen=True, slots=True)
class BundleRevoked:
    bundle_id: int
    user_id: int
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class BundleNotMailed:
    """A link could not be sent, however often it was tried."""

    bundle_id: int
    user_id: int
