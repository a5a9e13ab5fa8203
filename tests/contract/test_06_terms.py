"""Contract 06 section 18 and 02 section 6.2: terms of use, who accepted them, and downloads that ask for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import DataboxRight, User
from vitrine.accounts.record_grants import GrantSource, SourceKind, give
from vitrine.errors import Conflict, Invalid
from vitrine.library import store
from vitrine.library.errors import ChangedMeanwhile, MayNotAdminister, MayNotSee
from vitrine.library.events import TermsAccepted, TermsPublished
from vitrine.library.model import RecordKey
from vitrine.library.structure.tests.people import MANAGES, STRUCTURE, actor, person
from vitrine.library.terms.store import TermsVersion
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server, Visitor

TEXT = "<h2>Use</h2><p>Name the museum.</p>"


@pytest.fixture
def ada(server: Server) -> User:
    return person(server, "ada", MANAGES)


def publish(server: Server, who: User, *, must_accept: bool = False, **texts: Any) -> TermsVersion:
    acting = actor(server, who)
    with server.services.database.write() as work:
        terms = server.services.library.terms
        return terms.publish(work, acting, server.databox.id, texts or {"en": TEXT}, must_accept=must_accept)


def accept(server: Server, who: User, number: int) -> bool:
    acting = actor(server, who)
    with server.services.database.write() as work:
        return server.services.library.terms.accept(work, acting, server.databox.id, number).is_accepted


def accepted(server: Server, who: User) -> bool:
    acting = actor(server, who)
    with server.services.database.read() as work:
        return server.services.library.terms.standing(work, acting, server.databox.id).is_accepted


def test_02_6_2_terms_in_the_shape_of_v1(server: Server, ada: User) -> None:
    publish(server, ada, fr="<p>Nommez le musée.</p>", en=TEXT)
    token = server.token(server.user("bob"))
    assert server.get(f"/databoxes/{server.databox.id}/termsOfUse/", token) == {
        "termsOfUse": [{"locale": "en", "terms": TEXT}, {"locale": "fr", "terms": "<p>Nommez le musée.</p>"}]
    }


@pytest.mark.both_databases
def test_acceptance_counts_until_it_is_asked_for_anew(server: Server, ada: User) -> None:
    bob = server.user("bob")
    assert accepted(server, bob), "without terms there is nothing to accept"
    assert publish(server, ada).number == 1
    assert not accepted(server, bob)
    assert accept(server, bob, 1)
    assert accept(server, bob, 1), "twice is once"
    publish(server, ada, en="<p>Name the museum, please.</p>")
    assert accepted(server, bob), "a correction asks nobody"
    publish(server, ada, en="<p>Pay the museum.</p>", must_accept=True)
    assert not accepted(server, bob)
    with pytest.raises(ChangedMeanwhile):
        accept(server, bob, 2)
    assert accept(server, bob, 3)
    acting = actor(server, ada)
    with server.services.database.read() as work:
        terms = server.services.library.terms
        assert [version.number for version in terms.versions(work, acting, server.databox.id)] == [3, 2, 1]
        rows = terms.acceptances(work, acting, server.databox.id)
        assert [(row.user_id, row.number) for row in rows] == [(bob.id, 1), (bob.id, 3)]
        assert [row.number for row in terms.acceptances(work, acting, server.databox.id, after=(bob.id, 1))] == [3]


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("<p onclick='x()'>Use</p><script>x()</script>", "<p>Use</p>"),
        ("<a href='javascript:x()'>Use</a>", '<a rel="noopener noreferrer nofollow">Use</a>'),
        ("<style>p{}</style><iframe src='//x'></iframe><img src=x onerror=x()><b>Use</b>", "<b>Use</b>"),
        ("<form action='//x'><input>Use</form>", "Use"),
    ],
)
def test_nothing_that_runs_is_kept(server: Server, ada: User, dirty: str, clean: str) -> None:
    assert publish(server, ada, en=dirty).texts == {"en": clean}


@pytest.mark.parametrize(
    "texts", [{"es": TEXT}, {"en": ""}, {"en": "<script>x()</script>"}, {"en": 7}, {"en": "a" * 200_001}], ids=str
)
def test_texts_that_cannot_be(server: Server, ada: User, texts: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        publish(server, ada, **texts)


@pytest.mark.parametrize("rights", [DataboxRight(0), STRUCTURE], ids=str)
def test_only_managers_publish_and_see_who_accepted(server: Server, ada: User, rights: DataboxRight) -> None:
    bob = person(server, "bob", rights)
    with pytest.raises(MayNotAdminister):
        publish(server, bob)
    acting = actor(server, bob)
    with server.services.database.read() as work, pytest.raises(MayNotAdminister):
        server.services.library.terms.acceptances(work, acting, server.databox.id)


def test_a_stranger_to_the_databox_neither_reads_nor_accepts(server: Server, ada: User) -> None:
    publish(server, ada)
    eve = server.user("eve", None)
    with pytest.raises(MayNotSee):
        accept(server, eve, 1)
    assert server.browser(eve).get(f"/terms/{server.databox.id}/").status_code == 404


def test_there_is_nothing_to_accept_without_terms(server: Server) -> None:
    with pytest.raises(Conflict):
        accept(server, server.user("bob"), 1)


def test_events_tell_of_both(server: Server, ada: User) -> None:
    heard: list[object] = []
    for kind in (TermsPublished, TermsAccepted):
        server.services.database.listen(kind, lambda _work, event: heard.append(event))
    bob = server.user("bob")
    publish(server, ada)
    accept(server, bob, 1)
    accept(server, bob, 1)
    assert heard == [
        TermsPublished(server.databox.id, 1, True, ada.id), TermsAccepted(server.databox.id, 1, bob.id),
    ]  # fmt: skip


# -- downloads ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "strict", terms_required_for_download=True)
    yield server
    server.close()


def ask(visitor: Visitor, key: RecordKey, **more: str) -> Any:
    form = {**visitor.form("/account/"), "record[0]": str(key), **more}
    return visitor.client.post("/library/download", data=form)


def test_a_download_waits_for_the_terms(strict: Server, tmp_path: Path) -> None:
    ada, bob = person(strict, "ada", MANAGES), strict.user("bob")
    key = strict.add(make.jpeg(tmp_path / "a.jpg"), ada)
    visitor = strict.browser(bob)
    assert ask(visitor, key).headers["content-type"] == "application/zip", "no terms yet"
    publish(strict, ada)
    page = ask(visitor, key)
    assert page.headers["content-type"].startswith("text/html")
    assert TEXT in page.text
    assert f'name="terms[]" value="{strict.databox.id}:1"' in page.text
    assert f'name="record[]" value="{key}"' in page.text
    assert not accepted(strict, bob)
    done = ask(visitor, key, **{"terms[]": f"{strict.databox.id}:1"})
    assert done.headers["content-type"] == "application/zip"
    assert accepted(strict, bob)
    assert ask(visitor, key).headers["content-type"] == "application/zip"


def test_an_old_form_accepts_nothing(strict: Server, tmp_path: Path) -> None:
    ada, bob = person(strict, "ada", MANAGES), strict.user("bob")
    key = strict.add(make.jpeg(tmp_path / "a.jpg"), ada)
    publish(strict, ada)
    publish(strict, ada, must_accept=True)
    visitor = strict.browser(bob)
    newer = ask(visitor, key, **{"terms[]": f"{strict.databox.id}:1"})
    assert f'name="terms[]" value="{strict.databox.id}:2"' in newer.text
    assert f'name="record[]" value="{key}"' in newer.text, "what was chosen is not lost"
    assert ask(visitor, key, **{"terms[]": "x"}).status_code == 400
    assert not accepted(strict, bob)


def test_who_sees_one_record_only_can_accept_too(strict: Server, tmp_path: Path) -> None:
    ada, eve = person(strict, "ada", MANAGES), strict.user("eve", None)
    key = strict.add(make.jpeg(tmp_path / "a.jpg"), ada)
    publish(strict, ada)
    with strict.services.database.write() as work:
        record = store.by_key(work, key)
        assert record is not None
        give(work, eve.id, [record.id], GrantSource(SourceKind.PUSH, 1), giver_id=ada.id, document=True)
    visitor = strict.browser(eve)
    assert TEXT in ask(visitor, key).text
    assert ask(visitor, key, **{"terms[]": f"{strict.databox.id}:1"}).headers["content-type"] == "application/zip"


def test_nobody_is_asked_where_the_setting_is_off(server: Server, ada: User, tmp_path: Path) -> None:
    key = server.add(make.jpeg(tmp_path / "a.jpg"), ada)
    publish(server, ada)
    assert ask(server.browser(server.user("bob")), key).headers["content-type"] == "application/zip"


def test_the_page_shows_and_takes_an_acceptance(server: Server, ada: User) -> None:
    publish(server, ada)
    visitor = server.browser(server.user("bob"))
    address = f"/terms/{server.databox.id}/"
    assert TEXT in visitor.get(address).text
    old = visitor.form(address)
    publish(server, ada, must_accept=True)
    refused = visitor.client.post(address, data=old, headers={"Referer": server.settings.base_url + address})
    assert refused.status_code == 409
    assert f'href="{address}"' in refused.text, "the way to the newer version"
    assert visitor.submit(address, address, {}).status_code == 303
    assert 'name="number"' not in visitor.get(address).text, "what is accepted is not asked for again"
    assert visitor.get("/terms/99/").status_code == 404
    assert visitor.client.post(address, data={"number": "1"}).status_code == 403
