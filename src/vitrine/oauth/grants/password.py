"""grant_type=password (RFC 6749 section 4.3), behind the application's switch and the server's policy."""

from vitrine.accounts.errors import AccountLocked, WrongCredentials
from vitrine.applications import Application, Switch
from vitrine.oauth import scopes
from vitrine.oauth.errors import TokenError
from vitrine.oauth.grants.base import Form, GrantContext, refuse_scope, requested_scope
from vitrine.oauth.tokens import Issued
from vitrine.platform import audit


class Password:
    def redeem(self, context: GrantContext, application: Application, form: Form, address: str) -> Issued:
        if not application.switches.is_on(Switch.PASSWORD_GRANT, context.policy):
            raise TokenError("unsupported_grant_type", "The password grant is switched off for this application.")
        login, password = form.get("username"), form.get("password")
        if not login or not password:
            raise TokenError("invalid_request", "username and password are required.")
        try:
            user = context.accounts.check_password(login, password, address)
        except (WrongCredentials, AccountLocked) as refusal:
            raise TokenError("invalid_grant", refusal.detail) from refusal
        with context.database.write() as work:
            if not context.accounts.is_current(work, user):  # the password was changed during its check
                raise TokenError("invalid_grant", "The login or the password is not right.")
            if context.accounts.has_second_step(work, user.id):
                raise TokenError(
                    "invalid_grant", "This account signs in with a second step: send it to the sign-in page."
                )
            account = context.applications.consents.ensure_account(work, user.id, application)
            if account.revoked_at is not None:
                raise TokenError("invalid_grant", "The person has withdrawn the access of this application.")
            if application.switches.has_old_answers:
                refuse_scope(form)
                scope = None
            else:
                offered = scopes.offered(requested_scope(form, application), is_admin=user.is_admin)
                scope = frozenset(entry.name for entry in offered) - scopes.IDENTITY
            # No refresh token: a client with the password can ask again (RFC 9700 section 2.4).
            issued = context.tokens.issue(work, application, account.id, None, scope, refreshable=False)
            # Giving the application the password is a consent, and is recorded as one.
            context.applications.consents.note_password_consent(work, account, application, address)
            if account.granted_at is None:
                now = context.applications.consents.ensure_account(work, user.id, application)
                context.notices.granted(work, application, account, now, address)
            audit.write(
                work, None, "token.by_password", f"application {application.id}", {"user": user.id}, address=address
            )
        return issued
