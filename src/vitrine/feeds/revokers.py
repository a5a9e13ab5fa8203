"""How addresses of feeds end: see `accounts.credential_revocation`."""

from collections.abc import Mapping

from vitrine.accounts.credential_revocation import Credential, Revoker
from vitrine.accounts.events import AccountClosed
from vitrine.feeds import store
from vitrine.feeds.addresses import end_addresses
from vitrine.platform.database import UnitOfWork

REVOKERS: Mapping[Credential, Revoker] = {Credential.FEED_ADDRESS: end_addresses}


def forget_person(work: UnitOfWork, event: AccountClosed) -> None:
    """Listener: a closed account is no publisher, and its entries name no address."""
    store.forget_person(work, event.user_id)
