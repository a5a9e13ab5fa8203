"""What the attributes of fields demand of values (06 section 6): refused in v4, in operations on many records and in
copies; accepted by API v1, as its contract says (02 section 6.6)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.v4.conftest import Call
from vitrine.accounts import COMMAND, User
from vitrine.library import structure_store
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.partial_dates import is_date, period
from vitrine.library.stories.model import StoryDraft
from vitrine.library.tables import fields
from vitrine.testing.server import Server


@pytest.fixture(autouse=True)
def people(server: Server) -> None:
    server.user("curator", None, email="curator@example.org")


def _set(server: Server, name: str, **columns: Any) -> int:
    """Give a field attributes, whatever values there are; returns its id."""
    with server.services.database.write() as work:
        work.db.execute(fields.update().where(fields.c.name == name).values(**columns))
        structure_store.increase_version(work)
        known = server.services.library.records.structure(work).fields[server.databox.id]
        return next(field.id for field in known if field.name == name)


DEMANDS = [
    ({"required": True}, "", "value_required"),
    ({"type": "number"}, "twelve", "value_of_wrong_type"),
    ({"type": "number"}, "NaN", "value_of_wrong_type"),
    ({"type": "number"}, "1_000", "value_of_wrong_type"),
    ({"type": "date"}, "yesterday", "value_of_wrong_type"),
    ({"type": "date"}, "2009-13", "value_of_wrong_type"),
    ({"vocabulary_type": "users", "vocabulary_restricted": True}, "nobody", "value_not_in_vocabulary"),
    ({"vocabulary_type": "users", "vocabulary_restricted": True}, "curator@example.org", "value_not_in_vocabulary"),
]
ALLOWED = [
    ({"required": True}, "Brest"),
    ({"type": "number"}, "-12.5e3"),
    ({"type": "date"}, "2009"),
    ({"type": "date"}, "2009-07-14T10:00:00+02:00"),
    ({"vocabulary_type": "users", "vocabulary_restricted": True}, "Curator"),
    ({"vocabulary_type": "users", "vocabulary_restricted": False}, "somebody else"),
]


def _operation(call: Call, server: Server, key: RecordKey, field_id: int, text: str) -> str:
    values = [text] if text else []
    body = {
        "records": [{"databox_id": key.databox, "record_ids": [key.number]}],
        "fields": [{"field_id": field_id, "action": "set", "values": values}],
    }
    begun = call("POST", "/operations", body).json()["operation_id"]
    server.work()
    (item,) = call("GET", f"/operations/{begun}/items").json()["data"]
    return str(item["outcome"])


def _cities(call: Call, path: str) -> Any:
    return call("GET", path + "?fields=metadata").json()["metadata"]["City"]


def _v1(server: Server, token: str, key: RecordKey, field_id: int, text: str) -> int:
    body = {"metadatas[0][meta_struct_id]": field_id, "metadatas[0][meta_id]": "", "metadatas[0][value]": text}
    path = f"/api/v1/records/{key.databox}/{key.number}/setmetadatas/"
    return server.call("POST", path, token, data=body).status_code


@pytest.mark.parametrize(("columns", "text", "code"), DEMANDS)
def test_a_value_that_its_field_does_not_take_is_refused_by_name_and_the_record_stays(
    server: Server, call: Call, key: RecordKey, token: str, columns: dict[str, Any], text: str, code: str
) -> None:
    path = f"/records/{key.databox}/{key.number}"
    assert call("PATCH", path, {"metadata": {"City": ["Nantes"]}}, If_Match="*").status_code == 200
    field_id = _set(server, "City", **columns)
    refused = call("PATCH", path, {"metadata": {"City": [text] if text else []}}, If_Match="*")
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (400, code, "metadata.City")
    assert "City" in refused.json()["detail"]
    assert _operation(call, server, key, field_id, text) == code
    assert _cities(call, path) == ["Nantes"]
    other = call("PATCH", path, {"metadata": {"Keywords": ["quay"], "City": ["Nantes"]}}, If_Match="*")
    assert other.status_code == 200, "what the record has already is no hindrance"
    story = {"base_id": server.photographs.id, "title": "Quays", "metadata": {"City": text}}
    created = call("POST", "/stories", story)
    assert (created.status_code, created.json().get("code")) == (400, code)
    assert _v1(server, token, key, field_id, text) == 200, "v1 asks for nothing of this"


@pytest.mark.parametrize(("columns", "text"), ALLOWED)
def test_a_value_that_its_field_takes_is_stored(
    server: Server, call: Call, key: RecordKey, columns: dict[str, Any], text: str
) -> None:
    field_id, path = _set(server, "City", **columns), f"/records/{key.databox}/{key.number}"
    assert _operation(call, server, key, field_id, text) == "changed"
    assert call("PATCH", path, {"metadata": {"City": [text]}}, If_Match="*").status_code == 200
    assert _cities(call, path) == [text]


def test_a_copy_empties_no_field_that_must_be_filled(server: Server, call: Call, key: RecordKey, ada: User) -> None:
    field_id, path = _set(server, "City", required=True), f"/records/{key.databox}/{key.number}"
    call("PATCH", path, {"metadata": {"City": ["Nantes"]}}, If_Match="*")
    with server.services.database.write() as work:
        source = server.services.library.stories.create(work, COMMAND, _empty_story(server))
    body = {"databox_id": source.databox, "record_id": source.number, "field_ids": [field_id]}
    refused = call("POST", path + "/copy-fields", body, If_Match="*")
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
        400,
        "value_required",
        "field_ids",
    )


def _empty_story(server: Server) -> StoryDraft:
    return StoryDraft(CollectionId(server.photographs.id), "Empty")


@given(st.dates())
def test_every_day_and_its_month_and_year_are_dates(day: Any) -> None:
    text = f"{day.year:04}-{day.month:02}-{day.day:02}"
    assert is_date(text)
    assert period(text) == (day, day)
    for partial in (text[:7], text[:4]):
        first, last = period(partial) or (None, None)
        assert first is not None
        assert last is not None
        assert first <= day <= last
    assert not is_date(text + "0")
