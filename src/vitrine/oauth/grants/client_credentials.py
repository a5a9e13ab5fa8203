"""grant_type=client_credentials (RFC 6749 section 4.4): no person takes part, so the owner must have allowed it.

The token acts as the application's owner, within the requested scopes. It needs the switch "acts as its owner", which
only the owner can turn on, and which is stored in their own account (docs/decisions/0041).
"""

from vitrine.applications import Application, Switch
from vitrine.oauth.errors import TokenError
from vitrine.oauth.grants.base import Form, GrantContext, requested_scope
from vitrine.oauth.scopes import IDENTITY
from vitrine.oauth.tokens import Issued
from vitrine.platform import audit

SHARED = "More than the owner know this secret. Make a new one on the settings page to let the application act alone."
_REMEDY = "Its owner must first switch on that it may act for them without a person (settings page)."


class ClientCredentials:
    def redeem(self, context: GrantContext, application: Application, form: Form, address: str) -> Issued:
        if application.switches.has_old_answers:
            raise TokenError("invalid_request", "grant_type is missing or unknown.")  # as in 01 section 4.1 row 1
        if not application.switches.is_on(Switch.ACTS_AS_OWNER, context.policy):
            raise TokenError("unauthorized_client", _REMEDY)
        scope = requested_scope(form, application)
        if scope & IDENTITY:
            raise TokenError("invalid_scope", "Nobody signs in here: openid, profile and email cannot be given.")
        # Shared: it adds a token and an audit line, and reads only what shared writes do not change.
        with context.database.write(shared=True) as work:
            account_id, user_id = context.applications.acting_account(work, application)
            if account_id is None:
                raise TokenError("unauthorized_client", _REMEDY)
            issued = context.tokens.issue_without_refresh(work, account_id, scope)
            details = {"user": user_id}
            audit.write(work, None, "token.by_credentials", f"application {application.id}", details, address=address)
        return issued
