"""Accounts from the shell: locked-out people regain access, and rights can be removed (contract 06 section 17.5)."""

import pytest

from vitrine.accounts import COMMAND, NOBODY, DataboxRight, Right
from vitrine.accounts.errors import AccountLocked, WeakPassword, WrongCredentials
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, READER
from vitrine.errors import Forbidden, NotFound
from vitrine.testing.server import PASSWORD, Server
from vitrine.testing.shell import Completed, vitrine

NEW = "quite another password"


def command(server: Server, *arguments: str, **environment: str) -> Completed:
    return vitrine(*arguments, "--data", str(server.settings.data_dir), **environment)


def test_a_locked_out_administrator_gets_in_by_the_shell(server: Server) -> None:
    ada = server.user("ada", is_admin=True)
    signed_in = server.browser(ada)
    for _ in range(server.settings.sign_in_failures):
        with pytest.raises(WrongCredentials):
            server.services.accounts.users.check_password("ada", "wrong wrong", "")
    with pytest.raises(AccountLocked):
        server.services.accounts.users.check_password("ada", PASSWORD, "")
    result = command(server, "user", "password", "ada", VITRINE_NEW_PASSWORD=NEW)
    assert result.returncode == 0, result.stderr
    assert NEW not in result.stdout + result.stderr
    assert server.services.accounts.users.check_password("ada", NEW, "").id == ada.id
    assert signed_in.get("/account/").status_code in (302, 303), "earlier sign-ins have ended"


def test_a_second_step_stays_unless_it_is_to_be_forgotten(server: Server) -> None:
    ada, accounts = server.user("ada"), server.services.accounts
    with server.services.database.write() as work:
        work.db.exec_driver_sql(
            "INSERT INTO passkeys (user_id, credential, public_key, sign_count, name, created) "
            f"VALUES ({ada.id}, 'c', x'00', 0, 'key', 1)"
        )
    server.services.accounts.administration.give_password(COMMAND, "ada", NEW)
    with server.services.database.read() as work:
        assert accounts.users.has_second_step(work, ada.id)
    server.services.accounts.administration.give_password(COMMAND, "ada", NEW, forget_second_step=True)
    with server.services.database.read() as work:
        assert not accounts.users.has_second_step(work, ada.id)


def test_a_password_is_given_by_administrators_only_and_must_be_good(server: Server) -> None:
    server.user("ada")
    administration = server.services.accounts.administration
    with pytest.raises(Forbidden):
        administration.give_password(NOBODY, "ada", NEW)
    with pytest.raises(WeakPassword):
        administration.give_password(COMMAND, "ada", "short")
    with pytest.raises(NotFound):
        administration.give_password(COMMAND, "eve", NEW)
    assert command(server, "user", "password", "eve", VITRINE_NEW_PASSWORD=NEW).returncode == 1
    server.services.accounts.users.check_password("ada", PASSWORD, "")


def test_rights_are_taken_back_by_the_shell_and_count_at_once(server: Server) -> None:
    ada = server.user("ada")
    token = server.token(ada)
    with server.services.database.write() as work:
        rights = DataboxRight(ALL_DATABOX_RIGHTS)
        server.services.accounts.users.grant_databox(work, COMMAND, ada.id, server.databox.id, rights)
    for number, base in enumerate((server.photographs, server.archive)):
        result = command(server, "grant", "ada", "--collection", str(base.id), "--rights", "none")
        assert result.returncode == 0, result.stderr
        me = server.get("/me/", token)
        assert base.id not in [collection["base_id"] for collection in me["collections"]]
        assert bool(me["databoxes"] and me["databoxes"][0]["rights"]) is (number == 0), "06 §17.5"
    repeated = command(server, "grant", "ada", "--collection", str(server.archive.id), "--rights", "none")
    assert repeated.returncode == 1
    assert "no rights" in repeated.stderr


def test_only_a_manager_of_the_collections_users_removes_rights(server: Server) -> None:
    ada, accounts = server.user("ada", READER), server.services.accounts
    manager = server.user("manager", {server.archive.id: READER | Right.canadmin})
    with server.services.database.write() as work:
        actor = accounts.users.actor_of(work, accounts.users.get(work, manager.id), COMMAND.via)
        administration = server.services.accounts.administration
        with pytest.raises(Forbidden):
            administration.take_rights(work, actor, ada.id, server.photographs.id, server.databox.id)
        administration.take_rights(work, actor, ada.id, server.archive.id, server.databox.id)
        assert set(accounts.users.actor_of(work, accounts.users.get(work, ada.id), COMMAND.via).rights.collections) == {
            server.photographs.id
        }
