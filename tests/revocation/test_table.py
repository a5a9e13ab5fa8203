"""Every cell of the table credential × event, over HTTP: each credential is created, the event happens, and the table
says whether the credential still works. Two processes with caches of their own must agree."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.oauth.provider import FakeProvider
from tests.revocation.events import WAYS, Way
from tests.revocation.world import World
from vitrine.accounts.credential_revocation import TABLE, Credential, Effect, Event
from vitrine.testing.postgresql import PostgreSQL

Outcomes = dict[Credential, bool]
# Recovery codes are few: what is looked at by a new sign-in comes last.
_LAST = (Credential.PENDING_SIGN_IN, Credential.EMAIL_LINK, Credential.CONSENT, Credential.ACTS_AS_OWNER)
_ORDER = (*(credential for credential in Credential if credential not in _LAST), *_LAST)
_ONCE = {
    Credential.PENDING_SIGN_IN, Credential.AUTHORIZATION_CODE, Credential.DEVICE_CODE, Credential.PENDING_DEVICE_CODE,
    Credential.REFRESH_TOKEN, Credential.ACTS_AS_OWNER, Credential.EMAIL_LINK, Credential.CONSENT,
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Way], Outcomes]]:
    """Whether each credential works after an event; one server for all cells of one way."""
    known: dict[str, Outcomes] = {}

    def after(way: Way) -> Outcomes:
        if way.name not in known:
            known[way.name] = _happened(way, tmp_path_factory.mktemp("world") / "data")
        return known[way.name]

    yield after


def _happened(way: Way, folder: Path, database_url: str = "") -> Outcomes:
    provider, world = FakeProvider(), None
    try:
        world = World(folder, provider, way.role, database_url)
        for credential in set(Credential) - _ONCE:  # what works before fills the caches
            assert world.works(credential), f"{credential} does not work before the event"
        way.do(world)
        return {credential: world.works(credential) for credential in _ORDER}
    finally:
        provider.close()
        if world is not None:
            world.close()


def _cells() -> list[object]:
    return [
        pytest.param(way, credential, id=f"{way.name}-{credential.name.lower()}")
        for way in WAYS
        for credential in Credential
    ]


@pytest.mark.parametrize(("way", "credential"), _cells())
def test_a_credential_opens_what_the_table_says(
    outcomes: Callable[[Way], Outcomes], way: Way, credential: Credential
) -> None:
    assert outcomes(way)[credential] is _works_on(way, credential)


def _works_on(way: Way, credential: Credential) -> bool:
    effect = TABLE[way.event][credential]
    ends = effect in (Effect.ENDS, Effect.REFUSED) or (effect is Effect.ENDS_IF_TICKED and way.ticked)
    return not ends


# These end every kind of credential: of a person, of an application, of a person at an application.
_ON_POSTGRESQL = (Event.EVERYTHING_ENDED, Event.APPLICATION_TOKENS_ENDED, Event.OWNER_CHANGED)


@pytest.mark.parametrize("event", _ON_POSTGRESQL, ids=lambda event: event.name.lower())
def test_the_table_holds_on_postgresql(tmp_path: Path, postgresql: PostgreSQL, event: Event) -> None:
    way = next(candidate for candidate in WAYS if candidate.event is event)
    with postgresql.database() as address:
        opened = _happened(way, tmp_path / "data", address)
    assert opened == {credential: _works_on(way, credential) for credential in Credential}


def test_every_event_comes_about_in_some_way() -> None:
    assert {way.event for way in WAYS} == set(Event)
    assert all(set(row) == set(Credential) for row in TABLE.values())
