"""What happens to applications that other rooms want to know."""

from dataclasses import dataclass

from vitrine.applications.model import ApplicationId


@dataclass(frozen=True, slots=True)
class ScopesLimited:
    """Its owner leaves an application only *limit* (None: everything again); live tokens follow."""

    application_id: ApplicationId
    limit: list[str] | None
