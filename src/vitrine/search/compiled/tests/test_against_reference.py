"""The embedded engine and the reference in plain Python find the same records: random corpora, rights and queries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import tantivy

from vitrine.search import compiled
from vitrine.search.model import BaseClause, IndexDocument
from vitrine.search.query import SearchedField, SearchNames, ValueType, parse, resolve
from vitrine.testing.search_reference import Reference, ReferenceRecord

LANGUAGES = ("de", "en", "fr", "nl")
WORDS = (
    "moon", "moons", "Mond", "lune", "lunes", "the", "of", "der", "die", "l'été", "ete", "été", "cat", "cats",
    "chat", "chats", "chevaux", "cheval", "run", "running", "東京", "東京タワー", "東", "京", "タワーの夜景",
    "ภาษา", "ภาษาไทย", "NASA", "nasa", "dsc_0042", "42", "3.14", "kind", "kinder", "kinderen", "Häuser", "haus",
    "foo-bar", "x",
)  # fmt: skip
FIELDS = {
    "Title": ValueType.TEXT, "City": ValueType.TEXT, "Keywords": ValueType.TEXT, "Note": ValueType.TEXT,
    "Rank": ValueType.NUMBER, "Price": ValueType.NUMBER, "Shot": ValueType.DATE,
}  # fmt: skip
EVERYWHERE = [BaseClause(1), BaseClause(2), BaseClause(3)]
BUSINESS = {"Note", "Price"}
NAMES = SearchNames(
    {name: SearchedField(name, kind, name in BUSINESS) for name, kind in FIELDS.items()},
    {"sold": ((1, 4), (2, 5)), "seen": ((2, 0),)},
)
NUMBERS = ("3", "3.0", "10", "-2.5", "0", "-0", "1e3", "abc", "2015")
DATES = ("2015", "2015-01", "2015-01-02", "2015-01-02 10:30", "2015/6", "1969", "2016-12-31 23:59:59", "someday")
ISOS = (100, 200, 400, 800)


def words(random: Random, most: int = 4) -> str:
    return " ".join(random.choices(WORDS, k=random.randint(1, most)))


def value(random: Random, name: str) -> str:
    match FIELDS[name]:
        case ValueType.NUMBER:
            return random.choice(NUMBERS)
        case ValueType.DATE:
            return random.choice(DATES)
        case _:
            return words(random) if random.random() < 0.8 else random.choice(NUMBERS)


def record(random: Random, rid: int) -> ReferenceRecord:
    base = random.choice((1, 2, 3))
    created = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(hours=random.randrange(20_000), microseconds=7)
    values = {
        name: [value(random, name) for _ in range(random.randint(1, 3))] for name in FIELDS if random.random() < 0.6
    }
    technical: dict[str, str | float | bool] = {}
    if random.random() < 0.5:
        technical = {"ISO": random.choice(ISOS), "CameraModel": "EOS 5D", "FlashFired": random.random() < 0.5}
    return ReferenceRecord(
        IndexDocument(
            rid=rid, databox_id=1 if base < 3 else 2, number=rid, base_id=base, kind=random.choice(("image", "video")),
            is_story=False, created=created, updated=created + timedelta(days=random.randrange(900)),
            status=random.choice((0, 16, 32, 48, 1)), title=words(random),
            sha256=random.choice(("", f"sha{rid}")), uuid=f"uuid-{rid}",
            fields={name: texts for name, texts in values.items() if name not in BUSINESS},
            business={name: texts for name, texts in values.items() if name in BUSINESS},
            extra=(f"DSC_{rid:04}.JPG",),
        ),
        database="Demo" if base < 3 else "Archive",
        collection=f"c{base}",
        technical=technical,
        location=(random.uniform(-80, 80), random.uniform(-180, 180)) if random.random() < 0.4 else None,
    )  # fmt: skip


def pair(random: Random) -> str:
    operator = random.choice(("=", "<", "<=", ">", ">="))
    name = random.choice(list(FIELDS))
    return random.choice((
        lambda: f"{name}:{random.choice(WORDS)}",
        lambda: f'{name}:"{words(random, 3)}"',
        lambda: f'{name}:r"{words(random, 2)}"',
        lambda: f'{name}{operator}"{value(random, name)}"',
        lambda: f"{name}={random.choice(('_set_', '_unset_'))}",
        lambda: f"meta.ISO{operator}{random.choice(ISOS)}",
        lambda: f"meta.FlashFired:{random.choice(('true', 'false'))}",
        lambda: random.choice(('meta.CameraModel="EOS 5D"', "meta.ISO=_unset_", "geolocation=_set_", "sha256=_unset_")),
        lambda: f"flag.{random.choice(('sold', 'seen'))}:{random.choice(('true', 'false'))}",
        lambda: f'{random.choice(("created_on", "updated_on"))}{operator}"{random.choice(DATES)}"',
        lambda: random.choice(("database:Demo", "collection:c2", "collection=nope", "type:video", "type:nothing")),
        lambda: f"id{operator}{random.randint(1, 60)}",
        lambda: f"uuid:uuid-{random.randint(1, 60)}",
    ))()  # fmt: skip


def query(random: Random, depth: int = 2) -> str:
    if depth == 0 or random.random() < 0.4:
        return random.choice((
            lambda: random.choice(WORDS),
            lambda: words(random, 3),
            lambda: f'"{words(random, 3)}"',
            lambda: f'r"{words(random, 2)}"',
            lambda: "[moon]",
            lambda: "!?",
            lambda: pair(random),
            lambda: pair(random),
            lambda: pair(random),
        ))()  # fmt: skip
    parts = [query(random, depth - 1) for _ in range(random.randint(2, 3))]
    return "(" + random.choice((" AND ", " OR ", " EXCEPT ")).join(parts) + ")"


def rights(random: Random) -> list[BaseClause]:
    bases = []
    for base in random.sample((1, 2, 3), random.randint(0, 3)):
        mask = random.choice((0, 0, 16, 48))
        bases.append(BaseClause(base, mask, random.choice((0, 16, 32)) & mask, random.random() < 0.5))
    return bases


def searcher_of(records: list[ReferenceRecord], schema: Any, languages: tuple[str, ...] = LANGUAGES) -> Any:
    index = tantivy.Index(schema)
    index.register_tokenizer(compiled.WORDS_TOKENIZER, compiled.tokenizer())
    writer = index.writer(15_000_000, 1)
    for entry in records:
        writer.add_document(compiled.document_of(entry.document, languages, entry.technical, entry.location))
    writer.commit()
    index.reload()
    return index.searcher()


def engine_rids(searcher: Any, compiler: compiled.Compiler, text: str, bases: list[BaseClause]) -> list[int]:
    condition = compiler.compile(resolve(parse(text).tree, NAMES))
    both = tantivy.Query.boolean_query([
        (tantivy.Occur.Must, compiler.visible(bases)), (tantivy.Occur.Must, condition)
    ])  # fmt: skip
    hits = searcher.search(both, 10_000).hits
    return sorted(searcher.fast_field_values("rid", [address for _, address in hits]))


@pytest.mark.parametrize("seed", range(6))
def test_the_engine_finds_what_the_reference_finds(seed: int) -> None:
    random = Random(seed)
    records = [record(random, rid) for rid in range(1, 61)]
    schema = compiled.schema(LANGUAGES)
    searcher = searcher_of(records, schema)
    nonempty = 0
    for _ in range(150):
        text, bases = query(random), rights(random)
        fields = random.choice((None, None, None, ("Title", "Note"), ("City",), ()))
        truncation = random.random() < 0.3
        compiler = compiled.Compiler(
            schema, LANGUAGES, "fr",
            databases={"Demo": (1,), "Archive": (2,)}, collections={f"c{n}": (n,) for n in (1, 2, 3)},
            business_bases=[base.base_id for base in bases if base.business], fields=fields, truncation=truncation,
        )  # fmt: skip
        reference = Reference(records, languages=LANGUAGES, fields=fields, truncation=truncation)
        expected = [hit.document.rid for hit in reference.search(resolve(parse(text).tree, NAMES), bases)]
        assert engine_rids(searcher, compiler, text, bases) == expected, (text, bases, fields, truncation)
        nonempty += bool(expected)
    assert nonempty > 30  # the queries are not all without hits


@pytest.mark.parametrize(
    ("latitude", "longitude", "radius_km"),
    [
        (48.85, 2.35, 500),
        (0, 0, 3_000),
        (10, 179.5, 2_000),
        (-75, -100, 1_500),
        (85, 20, 1_000),
        (89.995, 0, 1_000),
        (0, 0, 20_016),
    ],
)
def test_a_circle_holds_all_records_in_it_and_few_others(latitude: float, longitude: float, radius_km: float) -> None:
    random = Random(7)
    records = [
        replace(record(random, rid), location=(random.uniform(-89, 89), random.uniform(-180, 180)))
        for rid in range(1, 2_001)
    ]
    compiler = compiled.Compiler(compiled.schema(()), ())
    searcher = searcher_of(records, compiler.schema, ())

    def reference_rids(margin: float) -> set[int]:
        query = f'geolocation="{latitude} {longitude} {radius_km * margin:.3f}km"'
        return {hit.document.rid for hit in Reference(records).search(resolve(parse(query).tree, NAMES), EVERYWHERE)}

    query = f'geolocation="{latitude} {longitude} {radius_km}km"'
    rids = set(engine_rids(searcher, compiler, query, EVERYWHERE))
    assert reference_rids(1) <= rids <= reference_rids(1.15)


def test_a_hit_without_stemming_weighs_more_than_one_in_the_language_of_the_query_and_that_more_than_others() -> None:
    texts = {1: "runs", 2: "running", 3: "filler"}
    records = [replace(record(Random(rid), rid), document=plain(rid, text)) for rid, text in texts.items()]
    compiler = compiled.Compiler(compiled.schema(LANGUAGES), LANGUAGES, "en")
    searcher = searcher_of(records, compiler.schema, LANGUAGES)
    query = compiler.compile(resolve(parse("running").tree, NAMES))
    addresses = [address for _, address in searcher.search(query, 10).hits]
    assert searcher.fast_field_values("rid", addresses) == [2, 1]


def plain(rid: int, title: str) -> IndexDocument:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return IndexDocument(
        rid=rid, databox_id=1, number=rid, base_id=1, kind="image", is_story=False, created=now, updated=now, status=0,
        title="", sha256="", uuid="", fields={"Title": [title]}, business={},
    )  # fmt: skip
