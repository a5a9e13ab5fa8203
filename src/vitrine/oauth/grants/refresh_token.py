"""grant_type=refresh_token (RFC 6749 section 6, RFC 9700 section 4.14.2)."""

from vitrine.applications import Application, Switch
from vitrine.oauth.errors import TokenError
from vitrine.oauth.grants.base import Form, GrantContext, requested_scope
from vitrine.oauth.refresh import FamilyEnded, LateReuse
from vitrine.oauth.tokens import Issued


class RefreshToken:
    def redeem(self, context: GrantContext, application: Application, form: Form, _address: str) -> Issued:
        if application.switches.has_old_answers or application.switches.is_on(Switch.ENDLESS_TOKEN, context.policy):
            raise TokenError("unsupported_grant_type", "Tokens of this application have no end to be put off.")
        secret = form.get("refresh_token")
        if not secret:
            raise TokenError("invalid_request", "refresh_token is required.")
        requested = requested_scope(form, application) if form.get("scope") else None
        try:
            # Shared: exactly one of concurrent calls takes the row of the token, the others wait for that row and
            # return the same successor.
            return _rotated(context, application, secret, requested, shared=not context.database.is_sqlite)
        except LateReuse:
            return _rotated(context, application, secret, requested, shared=False)


def _rotated(
    context: GrantContext, application: Application, secret: str, requested: frozenset[str] | None, *, shared: bool
) -> Issued:
    ended: FamilyEnded | None = None
    with context.database.write(shared=shared) as work:
        try:
            rotated = context.rotation.rotate(work, application, secret, requested, is_alone=not shared)
        except FamilyEnded as refusal:
            ended = refusal  # leave the transaction normally, so that the revocation is committed
        else:
            return Issued(rotated.token_id, rotated.access, rotated.expires_in, rotated.refresh, rotated.scope)
    raise ended
