"""grant_type=authorization_code (RFC 6749 section 4.1.3, 01 section 4)."""

from vitrine.applications import Application
from vitrine.oauth import codes
from vitrine.oauth.errors import TokenError
from vitrine.oauth.grants.base import Form, GrantContext, refuse_scope
from vitrine.oauth.openid import AuthenticationContext
from vitrine.oauth.scopes import OPENID
from vitrine.oauth.tokens import Issued


class AuthorizationCode:
    def redeem(self, context: GrantContext, application: Application, form: Form, _address: str) -> Issued:
        code, redirect_uri = form.get("code"), form.get("redirect_uri")
        if not code:
            raise TokenError("invalid_request", "code is required.")
        if not redirect_uri and application.switches.has_old_answers:
            raise TokenError("invalid_request", "redirect_uri is required.")  # 01 section 4.1 row 4
        replayed: codes.Replayed | None = None
        with context.database.write() as work:
            try:
                stored = codes.redeem(work, application, code, redirect_uri, form.get("code_verifier"))
                if application.switches.has_old_answers:
                    refuse_scope(form)  # raises, so that the code is not used up
                scope = None if stored.scope is None else frozenset(stored.scope)
                identity = None
                if scope is not None and OPENID in scope:
                    identity = AuthenticationContext(stored.account_id, stored.nonce, stored.auth_time)
                return context.tokens.issue(work, application, stored.account_id, stored.id, scope, identity=identity)
            except codes.Replayed as refusal:
                replayed = refusal  # leave the transaction normally, so that the revocation is committed
        raise replayed
