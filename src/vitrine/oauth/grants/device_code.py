"""grant_type=urn:ietf:params:oauth:grant-type:device_code (RFC 8628 sections 3.4 and 3.5)."""

from vitrine.applications import Application
from vitrine.oauth import devices
from vitrine.oauth.errors import TokenError
from vitrine.oauth.grants.base import Form, GrantContext
from vitrine.oauth.openid import AuthenticationContext
from vitrine.oauth.scopes import OPENID
from vitrine.oauth.tokens import Issued


class DeviceCode:
    def redeem(self, context: GrantContext, application: Application, form: Form, _address: str) -> Issued:
        if not application.switches.may_offer_devices:
            raise TokenError("invalid_request", "grant_type is missing or unknown.")
        secret = form.get("device_code")
        if not secret:
            raise TokenError("invalid_request", "device_code is required.")
        waits: devices.AuthorizationPending | None = None
        with context.database.write() as work:
            try:
                allowed = devices.poll(work, application, secret)
                scope = frozenset(allowed.scope)
                identity = AuthenticationContext(allowed.account_id, None, None) if OPENID in scope else None
                return context.tokens.issue(work, application, allowed.account_id, None, scope, identity=identity)
            except devices.AuthorizationPending as refusal:
                waits = refusal  # the time of this poll must be kept
        raise waits
