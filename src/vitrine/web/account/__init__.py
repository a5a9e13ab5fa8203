"""My account: profile, access, security, sessions, applications that one allowed."""

from vitrine.web.account import access, applications, email_address, password, profile, security, sessions

ROUTES = [
    *access.ROUTES,
    *applications.ROUTES,
    *email_address.ROUTES,
    *password.ROUTES,
    *profile.ROUTES,
    *security.ROUTES,
    *sessions.ROUTES,
]
