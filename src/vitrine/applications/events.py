"""Events of applications for other capabilities."""

from dataclasses import dataclass

from vitrine.applications.model import ApplicationId


@dataclass(frozen=True, slots=True)
class ScopesLimited:
    """The owner limited an application to the scopes *limit* (None: no limit). Live tokens must follow."""

    application_id: ApplicationId
    limit: list[str] | None
