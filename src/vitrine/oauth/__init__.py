"""Authorize, token, client authentication, PKCE, developer token, revocation."""

from vitrine.oauth.errors import OAuthError, OutOfBandError, PageError, RedirectedError, TokenError, TokenRefused
from vitrine.oauth.service import OAuth, TokenAnswer

__all__ = [
    "OAuth",
    "OAuthError",
    "OutOfBandError",
    "PageError",
    "RedirectedError",
    "TokenAnswer",
    "TokenError",
    "TokenRefused",
]
