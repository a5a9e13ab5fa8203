"""Who may be named as a participant."""

import pytest

from vitrine.baskets.sharing import person_of
from vitrine.errors import Invalid
from vitrine.testing.server import Server

ADDRESS = "bob@museum.example"


def test_an_unconfirmed_account_gets_no_shares(server: Server) -> None:
    """Anybody may sign up with an address that is not theirs."""
    accounts = server.services.accounts.users
    with server.services.database.write() as work:
        unconfirmed = accounts.add_unconfirmed(work, login="mallory", password_hash="", email=ADDRESS)
        for name in (ADDRESS, "mallory", unconfirmed.id):
            with pytest.raises(Invalid):
                person_of(accounts, work, name)
