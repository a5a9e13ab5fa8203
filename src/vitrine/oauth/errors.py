"""OAuth errors. They are no DomainErrors, since their codes are the contract (RFC 6749 sections 4.1.2.1, 5.2; 01
§8)."""


class OAuthError(Exception):
    """*code* is the error code on the wire, *description* is for the developer of the application."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.description = description


class TokenError(OAuthError):
    """Refused by the token endpoint or a related one: *status* (400 in contract 01) with a JSON body."""

    def __init__(self, code: str, description: str = "", *, status: int = 400) -> None:
        super().__init__(code, description)
        self.status = status


class TokenRefused(OAuthError):
    """The access token is not valid: 401 and a challenge (01 section 5.4)."""


class InsufficientScope(TokenRefused):
    """The token is valid but lacks a scope: 403 that names *scope* (RFC 6750 section 3.1)."""

    def __init__(self, scope: str) -> None:
        super().__init__("insufficient_scope", f"The person has not allowed the application this: {scope}.")
        self.scope = scope


class PageError(OAuthError):
    """Refused by the authorize endpoint with a page and without a redirect (01 section 3.1 D)."""


class RedirectedError(OAuthError):
    """Refused by the authorize endpoint with a redirect to *location*, which was checked."""

    def __init__(self, code: str, location: str, description: str = "") -> None:
        super().__init__(code, description)
        self.location = location


class OutOfBandError(OAuthError):
    """Refused on the out-of-band page, under the title "Fail" (01 section 6)."""
