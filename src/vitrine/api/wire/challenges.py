"""What the `WWW-Authenticate` headers of all APIs share."""

from starlette.requests import Request

from vitrine.edge import services_of
from vitrine.oauth.metadata import PROTECTED_RESOURCE


def resource_metadata(request: Request) -> str:
    """The parameter of a challenge that gives the address of the resource metadata (RFC 9728 section 5.1)."""
    return f'resource_metadata="{services_of(request).settings.absolute(PROTECTED_RESOURCE)}"'
