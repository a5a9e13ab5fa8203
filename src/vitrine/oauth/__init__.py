"""Authorize, token, client authentication, PKCE, developer token, revocation."""

from vitrine.oauth.errors import (
    InsufficientScope,
    OAuthError,
    OutOfBandError,
    PageError,
    RedirectedError,
    TokenError,
    TokenRefused,
)
from vitrine.oauth.service import OAuth, TokenAnswer

__all__ = [
    "InsufficientScope",
    "OAuth",
    "OAuthError",
    "OutOfBandError",
    "PageError",
    "RedirectedError",
    "TokenAnswer",
    "TokenError",
    "TokenRefused",
]
