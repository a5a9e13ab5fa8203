"""Fields of a databox (contract 06 section 6): who may change them, what is refused, and what follows for records."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Actor, DataboxRight
from vitrine.errors import Conflict, Invalid
from vitrine.library import store
from vitrine.library.errors import ChangedMeanwhile, InUse, MayNotAdminister, MayNotSee, NoSuchDatabox, NoSuchField
from vitrine.library.events import StructureChanged
from vitrine.library.model import DataboxId, Field, FieldId, Record, RecordKey
from vitrine.library.structure import task_store
from vitrine.library.structure.tests.people import MANAGES, STRUCTURE, actor, person
from vitrine.library.tables import field_values, fields
from vitrine.library.value_edits import FieldChange
from vitrine.platform.tables import audit_log
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> Actor:
    return actor(server, person(server, "ada", STRUCTURE))


@pytest.fixture
def key(server: Server, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg"), server.user("eve"))


def named(server: Server, name: str) -> Field:
    with server.services.database.read() as work:
        known = server.services.library.records.structure(work).fields[server.databox.id]
    return next(field for field in known if field.name == name)


def names(server: Server) -> list[str]:
    with server.services.database.read() as work:
        return [field.name for field in server.services.library.records.structure(work).fields[server.databox.id]]


def add(server: Server, who: Actor, **given: Any) -> Field:
    with server.services.database.write() as work:
        return server.services.library.administration.fields.add(work, who, server.databox.id, given)


def change(server: Server, who: Actor, field: Field, expected: int | None = None, **given: Any) -> Field:
    with server.services.database.write() as work:
        fields = server.services.library.administration.fields
        return fields.change(work, who, server.databox.id, field.id, given, expected=expected)


def put(server: Server, key: RecordKey, field: Field, *values: str) -> None:
    with server.services.database.write() as work:
        changes = [FieldChange(field.id, None, value) for value in values]
        server.services.library.changes.set_values(work, COMMAND, key, changes)


def record(server: Server, key: RecordKey) -> Record:
    with server.services.database.read() as work:
        present = store.by_key(work, key)
    assert present is not None
    return present


def values(server: Server, key: RecordKey) -> dict[str, list[str]]:
    present = record(server, key)
    with server.services.database.read() as work:
        held = server.services.library.records.values(work, COMMAND, present, business=True)
    by_name: dict[str, list[str]] = {}
    for field, value in held:
        by_name.setdefault(field.name, []).append(value.value)
    return by_name


def test_a_field_is_added_after_the_others_under_a_name_for_queries(server: Server, ada: Actor) -> None:
    added = add(server, ada, name="2e Prise de vue (été)", labels={"fr": "Prise de vue"}, multi=True, separator=",")
    assert (added.name, added.multi, added.separator) == ("ePrisedevueete", True, ",;")
    assert dict(added.labels) == {"fr": "Prise de vue", "en": None, "de": None, "nl": None}
    assert names(server)[-1] == "ePrisedevueete"


@pytest.mark.parametrize("rights", [DataboxRight(0), MANAGES], ids=str)
def test_others_may_not(server: Server, rights: DataboxRight) -> None:
    with pytest.raises(MayNotAdminister):
        add(server, actor(server, person(server, "bob", rights)), name="Place")
    assert "Place" not in names(server)


def test_an_administrator_needs_the_right_too(server: Server) -> None:
    with pytest.raises(MayNotSee):
        add(server, actor(server, server.user("root", None, is_admin=True)), name="Place")


def test_a_right_on_one_databox_opens_no_other(server: Server, ada: Actor) -> None:
    with server.services.database.write() as work:
        other = server.services.library.structure.add_databox(work, COMMAND, "Annexe").id
        known = server.services.library.records.structure(work).fields[other][0]
    administration = server.services.library.administration.fields
    for box, field in ((other, known.id), (server.databox.id, known.id), (DataboxId(99), known.id)):
        with server.services.database.write() as work, pytest.raises((MayNotSee, NoSuchField, NoSuchDatabox)):
            administration.change(work, ada, box, field, {"readonly": True})


def test_names_and_dublin_core_elements_belong_to_one_field(server: Server, ada: Actor) -> None:
    with pytest.raises(Conflict):
        add(server, ada, name="títle")
    with pytest.raises(Conflict) as refusal:
        add(server, ada, name="Headline", dces_element="Title")
    assert "Title" in refusal.value.detail
    change(server, ada, named(server, "Title"), dces_element=None)
    assert add(server, ada, name="Headline", dces_element="Title").dces_element == "Title"


def test_business_and_titles_clear_each_other(server: Server, ada: Actor) -> None:
    title = change(server, ada, named(server, "Title"), business=True)
    assert (title.business, title.thumbtitle) == (True, False)
    title = change(server, ada, title, thumbtitle=True)
    assert (title.business, title.thumbtitle) == (False, True)


@pytest.mark.both_databases
def test_a_field_that_holds_several_values_stays_so(server: Server, ada: Actor, key: RecordKey) -> None:
    keywords = named(server, "Keywords")
    put(server, key, keywords, "sea", "ship")
    with pytest.raises(InUse) as refusal:
        change(server, ada, keywords, multi=False)
    assert str(key) in refusal.value.detail
    assert sorted(values(server, key)["Keywords"]) == ["sea", "ship"]


def test_it_may_hold_one_value_when_nothing_is_lost(server: Server, ada: Actor, key: RecordKey) -> None:
    keywords = named(server, "Keywords")
    put(server, key, keywords, "sea")
    single = change(server, ada, keywords, multi=False)
    assert (single.multi, single.separator) == (False, "")
    assert values(server, key)["Keywords"] == ["sea"]


@pytest.mark.both_databases
def test_values_that_came_after_the_look_are_seen(server: Server, ada: Actor, key: RecordKey) -> None:
    keywords = named(server, "Keywords")
    put(server, key, keywords, "sea")
    administration = server.services.library.administration.fields
    with server.services.database.read() as work:
        checked = administration.permit_single(work, ada, server.databox.id, keywords.id)
    put(server, key, keywords, "ship")
    with server.services.database.write() as work, pytest.raises(InUse):
        administration.change(work, ada, server.databox.id, keywords.id, {"multi": False}, checked=checked)


def test_two_editors_notice_each_other(server: Server, ada: Actor) -> None:
    seen = named(server, "City")
    change(server, ada, seen, expected=seen.revision, required=True)
    with pytest.raises(ChangedMeanwhile):
        change(server, ada, seen, expected=seen.revision, required=False)
    assert named(server, "City").required


def test_a_change_of_nothing_changes_nothing(server: Server, ada: Actor) -> None:
    city = named(server, "City")
    with server.services.database.read() as work:
        before = server.services.library.records.structure(work).version
    assert change(server, ada, city, required=city.required) == city
    with server.services.database.read() as work:
        assert server.services.library.records.structure(work).version == before


def test_a_renamed_field_is_found_under_its_new_name(server: Server, ada: Actor, key: RecordKey) -> None:
    put(server, key, named(server, "City"), "Genoa")
    server.work()
    token = server.token(server.user("reader"))
    change(server, ada, named(server, "City"), name="Ville")
    server.work()
    assert values(server, key)["Ville"] == ["Genoa"]
    assert server.get("/search/?query=Genoa", token)["results"]["records"]


@pytest.mark.both_databases
def test_a_deleted_field_is_gone_at_once_and_its_values_by_a_task(server: Server, ada: Actor, key: RecordKey) -> None:
    city = named(server, "City")
    put(server, key, city, "Genoa")
    with server.services.database.write() as work:
        task = server.services.library.administration.fields.delete(work, ada, server.databox.id, city.id)
    assert "City" not in names(server)
    assert "City" not in values(server, key)
    again = add(server, ada, name="City")
    server.work()
    with server.services.database.read() as work:
        done = task_store.by_id(work, task.id)
        left = sa.select(sa.func.count()).select_from(field_values).where(field_values.c.field_id == city.id)
        assert work.db.scalar(left) == 0
        assert work.db.execute(sa.select(fields.c.id).where(fields.c.id == city.id)).first() is None
    assert done is not None
    assert (done.state, done.changed) == ("done", 1)
    assert named(server, "City").id == again.id
    assert "City" not in values(server, key), "the new field begins empty"


def test_fields_take_a_whole_order(server: Server, ada: Actor) -> None:
    before = names(server)
    ids = [named(server, name).id for name in reversed(before)]
    administration = server.services.library.administration.fields
    with server.services.database.write() as work:
        administration.order(work, ada, server.databox.id, ids)
    assert names(server) == list(reversed(before))
    for wrong in (ids[1:], [*ids, ids[0]], [*ids[1:], 10**9], [*ids[1:], "7"], "order"):
        with server.services.database.write() as work, pytest.raises(Invalid):
            administration.order(work, ada, server.databox.id, wrong)  # type: ignore[arg-type]  # as a client may send


def test_titles_follow_the_rule(server: Server, ada: Actor, key: RecordKey) -> None:
    put(server, key, named(server, "Title"), "Quay")
    put(server, key, named(server, "City"), "Genoa")
    change(server, ada, named(server, "City"), thumbtitle=True)
    server.work()
    assert record(server, key).title == "Quay Genoa"
    change(server, ada, named(server, "Title"), thumbtitle=False)
    server.work()
    assert record(server, key).title == "Genoa"
    city = named(server, "City").id
    with server.services.database.write() as work:
        server.services.library.administration.fields.delete(work, ada, server.databox.id, city)
    server.work()
    assert record(server, key).title == "harbour.jpg"


@pytest.mark.both_databases
def test_titles_by_language(server: Server, ada: Actor, key: RecordKey) -> None:
    french = add(server, ada, name="Titre", thumbtitle=True, title_language="fr")
    put(server, key, named(server, "Title"), "Quay")
    put(server, key, french, "Le quai")
    shown = record(server, key)
    assert (shown.title, shown.title_in("fr"), shown.title_in("en")) == ("Quay", "Quay Le quai", "Quay")
    change(server, ada, named(server, "Title"), thumbtitle=True, title_language="en")
    server.work()
    shown = record(server, key)
    assert (shown.title, shown.title_in("fr"), shown.title_in("en")) == ("Le quai", "Le quai", "Quay")


def test_a_change_is_told_with_before_and_after(server: Server, ada: Actor) -> None:
    city = named(server, "City")
    heard: list[StructureChanged] = []
    server.services.database.listen(StructureChanged, lambda _work, event: heard.append(event))
    change(server, ada, city, required=True)
    assert heard == [
        StructureChanged(server.databox.id, "field", "City", ada.user_id, {"required": False}, {"required": True})
    ]
    with server.services.database.read() as work:
        last = work.db.execute(sa.select(audit_log).order_by(audit_log.c.id.desc()).limit(1)).one()
    assert (last.action, last.user_id, last.details) == ("field.changed", ada.user_id, {"required": True})


def test_an_unknown_field_is_not_there(server: Server, ada: Actor) -> None:
    with server.services.database.write() as work, pytest.raises(NoSuchField):
        server.services.library.administration.fields.delete(work, ada, server.databox.id, FieldId(10**9))
