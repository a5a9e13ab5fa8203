"""A login or an address leads to one person: nobody is found in the place of another."""

import pytest

from vitrine.accounts import COMMAND
from vitrine.accounts.errors import LoginTaken
from vitrine.accounts.service import Accounts
from vitrine.errors import Invalid
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases
ADDRESS = "bob@museum.example"


def add(accounts: Accounts, work: UnitOfWork, login: str, email: str | None = None) -> None:
    accounts.add(work, COMMAND, login=login, password=None, email=email)


def test_nobody_takes_the_address_of_another_as_login(server: Server) -> None:
    bob, accounts = server.user("bob", None, email=ADDRESS), server.services.accounts.users
    with server.services.database.write() as work:
        for login in (ADDRESS, "BOB@Museum.example", "bob\uff20museum.example", "nobody@museum.example"):
            with pytest.raises(Invalid) as refused:
                add(accounts, work, login, "mallory@museum.example")
            assert refused.value.field == "login"
        with pytest.raises(LoginTaken):
            add(accounts, work, ADDRESS, ADDRESS)
        add(accounts, work, "Zoe@museum.example", "zoe@museum.example")
        assert accounts.find(work, ADDRESS).id == bob.id


def test_nobody_takes_the_login_of_another_as_address(server: Server) -> None:
    accounts = server.services.accounts.users
    zoe = server.user("zoe", None)
    with server.services.database.write() as work:
        imported = accounts.import_account(work, COMMAND, login=ADDRESS, password_hash=None)
        with pytest.raises(LoginTaken):
            add(accounts, work, "mallory", ADDRESS)
        with pytest.raises(LoginTaken):
            server.services.accounts.administration.give_address(work, COMMAND, "zoe", ADDRESS)
        assert accounts.get(work, zoe.id).email is None
        server.services.accounts.administration.give_address(work, COMMAND, imported.login, ADDRESS)
