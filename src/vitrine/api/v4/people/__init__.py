"""Accounts, rights, groups, templates, registration and notifications."""

from vitrine.api.v4.people import content, groups, notifications, profile, recipient_lists, registration, users

ROUTES = (
    *profile.ROUTES,
    *users.ROUTES,
    *groups.ROUTES,
    *registration.ROUTES,
    *notifications.ROUTES,
    *recipient_lists.ROUTES,
)
COMPONENTS = {
    **content.COMPONENTS, **profile.COMPONENTS, **users.COMPONENTS, **groups.COMPONENTS, **registration.COMPONENTS,
    **notifications.COMPONENTS, **recipient_lists.COMPONENTS,
}  # fmt: skip
