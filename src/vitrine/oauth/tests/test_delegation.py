"""Work in a person's name never does more than what it was begun with still may."""

from datetime import timedelta

import pytest

from vitrine.accounts import Actor
from vitrine.applications import Policy, Profile
from vitrine.applications.tables import accounts, applications
from vitrine.oauth.delegation import AuthorityEnded, Delegations
from vitrine.oauth.tables import access_tokens
from vitrine.oauth.tokens import Tokens
from vitrine.platform.database import UnitOfWork
from vitrine.testing.server import Server

SCOPES = frozenset({"library:read", "metadata:edit", "delete"})


@pytest.fixture
def delegations(server: Server) -> Delegations:
    return server.services.library.bulk.delegations


def begun(server: Server, work: UnitOfWork, secret: str) -> int:
    actor: Actor = server.services.oauth.server.tokens.check(work, secret).actor
    return server.services.library.bulk.delegations.add(work, actor)


@pytest.mark.both_databases
def test_work_ends_with_the_time_of_its_developer_token_and_follows_its_scope(
    server: Server, delegations: Delegations
) -> None:
    token = server.token(server.user("ada"))
    with server.services.database.write() as work:
        number = begun(server, work, token)
        work.db.execute(access_tokens.update().values(scope=["library:read"]))
        assert delegations.actor(work, number).scope == frozenset({"library:read"})
        work.db.execute(access_tokens.update().values(expires=work.now + timedelta(seconds=1)))
        assert delegations.actor(work, number).scope == frozenset({"library:read"})
        work.db.execute(access_tokens.update().values(expires=work.now))
        with pytest.raises(AuthorityEnded):
            delegations.actor(work, number)


@pytest.mark.both_databases
def test_work_follows_the_consent_and_the_limit_of_the_application(server: Server, delegations: Delegations) -> None:
    ada = server.user("ada")
    registered = server.register(ada, profile=Profile.STRICT)
    with server.services.database.write() as work:
        account = server.services.applications.consents.account(work, ada.id, registered.application)
        assert account is not None
        tokens = Tokens(server.services.vault, Policy.FLAGGED)
        number = begun(server, work, tokens.issue_without_refresh(work, account.id, SCOPES).secret)
        assert delegations.actor(work, number).scope == SCOPES
        work.db.execute(accounts.update().values(granted_scope=["library:read", "metadata:edit", "account:read"]))
        assert delegations.actor(work, number).scope == frozenset({"library:read", "metadata:edit"})
        work.db.execute(applications.update().values(scope_limit=["metadata:edit"]))
        assert delegations.actor(work, number).scope == frozenset({"metadata:edit"})
