"""One module per grant type; the table is what the token endpoint knows."""

from vitrine.oauth.grants import authorization_code, password
from vitrine.oauth.grants.base import Form, Grant

GRANTS: dict[str, Grant] = {
    "authorization_code": authorization_code.AuthorizationCode(),
    "password": password.Password(),
}
KNOWN = frozenset({"authorization_code", "password", "assertion", "refresh_token", "none"})

__all__ = ["GRANTS", "KNOWN", "Form", "Grant"]
