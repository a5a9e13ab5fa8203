"""Accounts, rights, groups, templates and registration."""

from vitrine.api.v4.people import content, groups, profile, registration, users

ROUTES = (*profile.ROUTES, *users.ROUTES, *groups.ROUTES, *registration.ROUTES)
COMPONENTS = {
    **content.COMPONENTS, **profile.COMPONENTS, **users.COMPONENTS, **groups.COMPONENTS, **registration.COMPONENTS,
}  # fmt: skip
