"""The developer portal (contract 07 P3 to P5; contract 01 section 9)."""

from vitrine.web.developers import (
    addresses,
    console,
    credentials,
    dashboard,
    deletion,
    deprecated_features,
    details,
    documents,
    people,
    quick_start,
    scopes,
    settings,
    usage,
)

ROUTES = [
    *addresses.ROUTES,
    *console.ROUTES,
    *credentials.ROUTES,
    *dashboard.ROUTES,
    *deletion.ROUTES,
    *deprecated_features.ROUTES,
    *details.ROUTES,
    *documents.ROUTES,
    *people.ROUTES,
    *quick_start.ROUTES,
    *scopes.ROUTES,
    *settings.ROUTES,
    *usage.ROUTES,
]
