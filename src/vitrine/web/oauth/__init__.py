"""The pages of the authorization server: consent and the device page."""

from vitrine.web.oauth import authorize, device

ROUTES = [
    *authorize.ROUTES,
    *device.ROUTES,
]
