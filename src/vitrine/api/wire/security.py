"""How the operations of the OpenAPI document say which token they need."""

from typing import Any


def security(scope: str) -> list[dict[str, Any]]:
    """A bearer token however it was got, or one from a flow of the scheme `oauth2` with *scope*."""
    return [{"bearer": []}, {"oauth2": [scope]}]
