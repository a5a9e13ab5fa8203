"""grant_type=refresh_token (RFC 6749 section 6, RFC 9700 section 4.14.2)."""

from vitrine.applications import Application, Switch
from vitrine.oauth.errors import TokenError
from vitrine.oauth.grants.base import Form, GrantContext, requested_scope
from vitrine.oauth.refresh import FamilyEnded
from vitrine.oauth.tokens import Issued


class RefreshToken:
    def redeem(self, context: GrantContext, application: Application, form: Form, _address: str) -> Issued:
        if application.switches.has_old_answers or application.switches.is_on(Switch.ENDLESS_TOKEN, context.policy):
            raise TokenError("unsupported_grant_type", "Tokens of this application have no end to be put off.")
        secret = form.get("refresh_token")
        if not secret:
            raise TokenError("invalid_request", "refresh_token is required.")
        requested = requested_scope(form, application) if form.get("scope") else None
        ended: FamilyEnded | None = None
        with context.database.write() as work:
            try:
                rotated = context.rotation.rotate(work, application, secret, requested)
            except FamilyEnded as refusal:
                ended = refusal  # leave the transaction normally: the revocation must be kept
            else:
                return Issued(rotated.token_id, rotated.access, rotated.expires_in, rotated.refresh, rotated.scope)
        raise ended
