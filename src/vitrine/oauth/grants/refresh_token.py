"""grant_type=refresh_token (RFC 6749 section 6, RFC 9700 section 4.14.2)."""

from vitrine.applications import Application, Switch
from vitrine.oauth.errors import TokenError
from vitrine.oauth.grants.base import Form, GrantContext, asked_scope
from vitrine.oauth.refresh import FamilyEnded
from vitrine.oauth.tokens import Issued


class RefreshToken:
    def redeem(self, desk: GrantContext, application: Application, form: Form, _address: str) -> Issued:
        if application.switches.has_old_answers or application.switches.is_on(Switch.ENDLESS_TOKEN, desk.policy):
            raise TokenError("unsupported_grant_type", "Tokens of this application have no end to be put off.")
        secret = form.get("refresh_token")
        if not secret:
            raise TokenError("invalid_request", "refresh_token is required.")
        asked = asked_scope(form, application) if form.get("scope") else None
        ended: FamilyEnded | None = None
        with desk.database.write() as work:
            try:
                made = desk.rotation.rotate(work, application, secret, asked)
            except FamilyEnded as refusal:
                ended = refusal  # leave the transaction normally: the revocation must be kept
            else:
                return Issued(made.token_id, made.access, made.expires_in, made.refresh, made.scope)
        raise ended
