"""Whatever a query asks for, the engine can run it: a query is refused with its place, or it has an answer."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import tantivy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vitrine.search import compiled
from vitrine.search.model import IndexDocument
from vitrine.search.query import QueryRefused, SearchedField, SearchNames, ValueType, parse, resolve

NAMES = SearchNames(
    {name: SearchedField(name, kind) for name, kind in zip("tnd", ValueType, strict=False)}, {"f": ((1, 31),)}
)
PIECES = (
    " ", " ", "(", ")", "[", "]", ":", "=", "<", ">=", '"', 'r"', "AND", " OR ", " EXCEPT ", "t:", "n:", "d:", "t=",
    "t<", "t>=", "n<", "n=", "n>", "d=", "d<=", "d>", "id=", "id<", "created_on<", "updated_on>=", "meta.ISO>",
    "meta.ISO=", "meta.FlashFired=", "flag.f:1", "geolocation=", '"0 0 5km"', "_set_", "_unset_", "999999999999999999",
    "-1e300", "1e-300", "0", "0001", "9999", "9999-12-31", "2015", "true", "the", "l'", "été", "東", "東京", "NASA",
    "[x]", ".", ",", "~", "!", "*", "\\", "\ud7ff", "\ue000", "\U0010ffff", "\x00",
)  # fmt: skip
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.text(max_size=40))
SCHEMA = compiled.schema(("en", "fr"))


def searcher() -> Any:
    """An index of one record."""
    index = tantivy.Index(SCHEMA)
    index.register_tokenizer(compiled.WORDS_TOKENIZER, compiled.tokenizer())
    writer = index.writer(15_000_000, 1)
    now = datetime(2015, 1, 1, tzinfo=UTC)
    record = IndexDocument(
        rid=1, databox_id=1, number=1, base_id=1, kind="image", is_story=False, created=now, updated=now, status=1,
        title="NASA 東京", sha256="", uuid="u", fields={"t": ["the été", "\ue000"], "n": ["3"], "d": ["2015"]},
        business={},
    )  # fmt: skip
    writer.add_document(compiled.document_of(record, ("en", "fr"), {"ISO": 100}, (0.0, 0.0)))
    writer.commit()
    index.reload()
    return index.searcher()


SEARCHER = searcher()


@given(texts, st.booleans(), st.sampled_from(["UTC", "Europe/Paris", "Pacific/Kiritimati", "America/Los_Angeles"]))
@settings(max_examples=400, deadline=None)
@example("t<\ue000", False, "UTC")
@example("t>\ud7ff", False, "UTC")
@example("t>\U0010ffff OR t<\x00", False, "UTC")
@example("created_on<0001 OR created_on>=9999-12-31 OR created_on=9999", False, "Pacific/Kiritimati")
@example("created_on<0001 OR updated_on=0001", False, "America/Los_Angeles")
@example("d<0001 OR d>9999", False, "UTC")
@example("id<0 OR id<=999999999999999999 OR id>999999999999999999", False, "UTC")
@example("n<-1e300 OR n>1e300 OR n=-0", False, "UTC")
@example('"NASA 東" OR "東京 東" OR "the" OR "l\' été"', True, "UTC")
def test_every_query_is_refused_or_has_an_answer(text: str, truncation: bool, zone: str) -> None:
    compiler = compiled.Compiler(
        SCHEMA, ("en", "fr"), "en", business_bases=(1, 2), truncation=truncation, zone=ZoneInfo(zone)
    )
    try:
        condition = resolve(parse(text).tree, NAMES)
    except QueryRefused:
        return
    assert SEARCHER.search(compiler.compile(condition), 1).count in {0, 1}
