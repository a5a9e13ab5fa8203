"""Every table of the product in one place; migrations compare the database with it."""

from vitrine.accounts import tables as accounts
from vitrine.accounts.recipient_lists import tables as recipient_lists
from vitrine.accounts.registration import tables as registration
from vitrine.applications import tables as applications
from vitrine.baskets import tables as baskets
from vitrine.feeds import tables as feeds
from vitrine.jobs import tables as jobs
from vitrine.library import tables as library
from vitrine.library.reports import tables as reports
from vitrine.library.sharing import tables as sharing
from vitrine.notifications import tables as notifications
from vitrine.oauth import tables as oauth
from vitrine.platform import tables as platform
from vitrine.platform.schema import metadata

__all__ = [
    "accounts", "applications", "baskets", "feeds", "jobs", "library", "metadata", "notifications", "oauth", "platform",
    "recipient_lists", "registration", "reports", "sharing",
]  # fmt: skip
