"""One module per grant type, and the table of grants of the token endpoint."""

from vitrine.oauth.grants import authorization_code, client_credentials, device_code, password, refresh_token
from vitrine.oauth.grants.base import Form, Grant

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS: dict[str, Grant] = {
    "authorization_code": authorization_code.AuthorizationCode(),
    "password": password.Password(),
    "refresh_token": refresh_token.RefreshToken(),
    "client_credentials": client_credentials.ClientCredentials(),
    DEVICE_CODE: device_code.DeviceCode(),
}
# A few short statements and no slow hash: on SQLite these may run in the event loop.
SHORT = frozenset({"authorization_code", "refresh_token", "client_credentials"})
# The secret alone gives access, so only the person for whom the application acts may know it.
BY_SECRET_ALONE = frozenset({"client_credentials"})
KNOWN = frozenset({*GRANTS, "assertion", "none"})

__all__ = ["BY_SECRET_ALONE", "DEVICE_CODE", "GRANTS", "KNOWN", "SHORT", "Form", "Grant"]
