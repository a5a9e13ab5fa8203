"""Signing in: password, second step, passkey, identity provider, forgotten password."""

from vitrine.web.sign_in import identity_providers, mail_stops, mfa, recovery, session, sign_up

ROUTES = [
    *identity_providers.ROUTES,
    *mail_stops.ROUTES,
    *mfa.ROUTES,
    *recovery.ROUTES,
    *session.ROUTES,
    *sign_up.ROUTES,
]
