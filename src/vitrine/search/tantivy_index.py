"""The embedded engine: tantivy, in a folder of generations with a pointer to the current one.

This file works around limits of tantivy, all tested: deleting by an unsigned field removes nothing, so documents are
deleted by a raw text id; results are ordered by one field, so the tie-break is part of its value; a schema is fixed at
creation, so databox fields are stored as JSON and further sort orders in a fixed pool of slots. See
docs/decisions/0003-search-index.md.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

import tantivy

from vitrine.errors import Invalid
from vitrine.search.index import LeftOut, Reread, WriterTaken, raise_failure
from vitrine.search.model import DEEPEST, MOST_HITS, BaseClause, GrantedRecords, Hits, IndexDocument, Query
from vitrine.search.words import terms, tokens

SCHEMA = "1"
SLOTS = 8
HEAP_BYTES = 64 * 2**20
RELOAD_EVERY_S = 0.2
BATCH = 5_000
CAUGHT_UP_AT_ONCE = 500  # records changed during a rebuild that are read again together
FEW_CHANGES, MOST_ROUNDS = 200, 20
MOST_SECONDS = 2**32
_EMPTY = "empty-"  # in the name of a generation that was begun without a rebuild
MOST_SINGLE_TERMS = 32
_ANALYSIS = "vitrine"
Must, Should, MustNot = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot
_SORTS = {"created_on": "by_created", "updated_on": "by_updated", "recordid": "rid"}


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic")
    for name in ("rid", "by_created", "by_updated", *(f"slot_{n}" for n in range(SLOTS))):
        builder.add_integer_field(name, fast=True)
    for name in ("base", "databox", "number"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("kind", "story", "status", "sha256", "uuid"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name=_ANALYSIS)
    builder.add_text_field("business", tokenizer_name=_ANALYSIS)
    builder.add_json_field("field", tokenizer_name=_ANALYSIS)
    return builder.build()


def _document(document: IndexDocument) -> Any:
    indexed = tantivy.Document()
    indexed.add_text("id", str(document.rid))
    indexed.add_integer("rid", document.rid)
    indexed.add_integer("by_created", _sort_key(document.created.timestamp(), document.rid))
    indexed.add_integer("by_updated", _sort_key(document.updated.timestamp(), document.rid))
    for slot, rank in document.slots.items():
        indexed.add_integer(f"slot_{slot}", rank)
    indexed.add_integer("base", document.base_id)
    indexed.add_integer("databox", document.databox_id)
    indexed.add_integer("number", document.number)
    for name in ("kind", "sha256", "uuid"):
        indexed.add_text(name, getattr(document, name))
    indexed.add_text("story", "1" if document.is_story else "0")
    for bit in range(32):
        if document.status >> bit & 1:
            indexed.add_text("status", str(bit))
    analysed = {name: [" ".join(tokens(value)) for value in values] for name, values in document.fields.items()}
    for values in analysed.values():
        for value in values:  # each value separately: a phrase must not match across two values
            indexed.add_text("words", value)
    for text in (document.title, *document.extra):
        indexed.add_text("words", " ".join(tokens(text)))
    indexed.add_json("field", analysed)
    for secret in (value for values in document.business.values() for value in values):
        indexed.add_text("business", " ".join(tokens(secret)))
    return indexed


def _sort_key(seconds: float, rid: int) -> int:
    """Combine whole seconds and the record's rid into one sortable number of 64 bits, so ties are ordered by record.
    Instants before 1834 and after 2106 count as these."""
    return max(-MOST_SECONDS, min(int(seconds), MOST_SECONDS - 1)) << 31 | rid & 0x7FFF_FFFF


class EmbeddedIndex:
    """An `Index` on tantivy. Thread-safe. The writer is opened on the first change and held until `close`.

    A rebuild writes a new generation beside the current one, with a writer of its own, while `apply` goes on in the
    current one and notes what it changed. See docs/decisions/0099.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pointer = folder / "current"
        self._schema = _schema()
        self._guard = threading.RLock()
        self._generation = ""
        self._index: Any = None
        self._writer: Any = None
        self._writer_generation = ""
        self._applying = threading.RLock()  # held while a writer is used; taken before *_guard*
        self._rebuilding = threading.Lock()
        self._changed: set[int] | None = None  # records changed since the rebuild under way began
        self._reloaded = 0.0
        self._cached_searcher: Any = None

    # -- reading -------------------------------------------------------------------------------------------------

    def search(self, query: Query) -> Hits:
        if query.offset < 0 or query.offset > DEEPEST:
            raise Invalid(f"Results go to position {DEEPEST}; please narrow the search.", field="offset_start")
        if not 0 <= query.limit <= MOST_HITS:
            raise Invalid(f"At most {MOST_HITS} results a page.", field="per_page")
        searcher = self._searcher()
        started = time.perf_counter()
        if searcher is None:
            return Hits(0, (), 0.0)
        order = _SORTS.get(query.sort) or (query.sort.replace(":", "_") if query.sort.startswith("slot:") else None)
        if order is None and not terms(query.text):
            order = "by_created"  # without words every score is the same
        results = searcher.search(
            self._compile(query),
            limit=max(1, query.limit),
            offset=query.offset,
            order_by_field=order,
            order=tantivy.Order.Desc if query.descending or order is None else tantivy.Order.Asc,
        )
        rids = searcher.fast_field_values("rid", [address for _, address in results.hits])
        took_ms = (time.perf_counter() - started) * 1000
        return Hits(results.count, tuple(rids[: query.limit]), took_ms)

    def count(self) -> int:
        searcher = self._searcher()
        return 0 if searcher is None else int(searcher.num_docs)

    def needs_rebuild(self) -> bool:
        with self._guard:
            return self._open() is None or _EMPTY in (self._generation or "")

    def _searcher(self) -> Any:
        now = time.monotonic()
        searcher = self._cached_searcher
        if searcher is not None and now - self._reloaded <= RELOAD_EVERY_S:
            return searcher
        with self._guard:
            index = self._open()
            if index is None:
                return None
            if now - self._reloaded > RELOAD_EVERY_S:
                index.reload()
                self._reloaded = now
            self._cached_searcher = index.searcher()
            return self._cached_searcher

    def _open(self) -> Any:
        """The index of the generation that the pointer names; None if there is no usable one."""
        try:
            generation = self._pointer.read_text().strip()
        except FileNotFoundError:
            return None
        if generation != self._generation:
            if not generation.startswith(f"{SCHEMA}-") or not (self.folder / generation).is_dir():
                return None
            try:
                self._index = self._index_at(self.folder / generation)
            except ValueError:
                return None  # damaged: the caller rebuilds; the old folder is kept for inspection
            self._generation = generation
            self._reloaded = time.monotonic()
            self._cached_searcher = None
        return self._index

    def _index_at(self, folder: Path) -> Any:
        index = tantivy.Index(self._schema, path=str(folder), reuse=True)
        index.register_tokenizer(_ANALYSIS, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
        index.config_reader("manual")
        return index

    # -- the query -----------------------------------------------------------------------------------------------

    def _compile(self, query: Query) -> Any:
        filters = [self._scope(query)]
        if query.kinds is not None:
            filters.append(self._any_of("kind", sorted(query.kinds)))
        if query.stories is not None:
            filters.append(self._term("story", "1" if query.stories else "0"))
        clauses = [(Must, tantivy.Query.const_score_query(query_filter, 0.0)) for query_filter in filters]
        wanted_terms = terms(query.text)
        if wanted_terms:
            clauses.append((Must, self._words(query, wanted_terms)))
        elif query.text.strip():
            clauses.append((Must, tantivy.Query.empty_query()))  # only punctuation: matches nothing
        return tantivy.Query.boolean_query(clauses)

    def _scope(self, query: Query) -> Any:
        allowed = [base for base in query.scope.bases if query.bases is None or base.base_id in query.bases]
        unmasked = [base.base_id for base in allowed if not base.mask_and]
        clauses = [(Should, self._masked(base)) for base in allowed if base.mask_and]
        if unmasked:
            clauses.append((Should, self._any_of("base", unmasked)))
        if query.scope.granted.rids:
            granted = self._granted(query.scope.granted)
            if query.bases is not None:
                in_bases = self._any_of("base", sorted(query.bases))
                granted = tantivy.Query.boolean_query([(Must, granted), (Must, in_bases)])
            clauses.append((Should, granted))
        return tantivy.Query.boolean_query(clauses) if clauses else tantivy.Query.empty_query()

    def _granted(self, granted: GrantedRecords) -> Any:
        """The query for many granted records is made once: its terms cost more to hand over than to look up."""
        if granted.compiled is None:
            granted.compiled = self._any_of("id", [str(rid) for rid in granted.rids])
        return granted.compiled

    def _any_of(self, field: str, values: Sequence[str | int]) -> Any:
        if len(values) > MOST_SINGLE_TERMS:
            return tantivy.Query.term_set_query(self._schema, field, list(values))
        # A term set is first compiled into an automaton, which costs more than a few dozen single terms.
        return tantivy.Query.boolean_query([(Should, self._term(field, value)) for value in values])

    def _masked(self, base: BaseClause) -> Any:
        """((status XOR mask_xor) AND mask_and) = 0: every masked bit must equal the bit of mask_xor."""
        clauses = [(Must, self._term("base", base.base_id))]
        clauses += [
            (Must if base.mask_xor >> bit & 1 else MustNot, self._term("status", str(bit)))
            for bit in range(32)
            if base.mask_and >> bit & 1
        ]
        return tantivy.Query.boolean_query(clauses)

    def _words(self, query: Query, wanted_terms: list[list[str]]) -> Any:
        fields = [f"field.{name}" for name in query.fields] or ["words"]
        public = self._all_terms(wanted_terms, fields, query)
        private = [base.base_id for base in query.scope.bases if base.business]
        if not private or query.fields:
            return public
        in_private = tantivy.Query.const_score_query(self._any_of("base", private), 0.0)
        with_business = self._all_terms(wanted_terms, [*fields, "business"], query)
        return tantivy.Query.boolean_query(
            [(Should, public), (Should, tantivy.Query.boolean_query([(Must, in_private), (Must, with_business)]))]
        )

    def _all_terms(self, wanted_terms: list[list[str]], fields: list[str], query: Query) -> Any:
        clauses = []
        for term in wanted_terms:
            alternatives = [self._field_query(field, term, query) for field in fields]
            clauses.append((Must, tantivy.Query.boolean_query([(Should, alternative) for alternative in alternatives])))
        return tantivy.Query.boolean_query(clauses)

    def _field_query(self, field: str, term: list[str], query: Query) -> Any:
        if len(term) > 1:
            return tantivy.Query.phrase_query(self._schema, field, list[str | tuple[int, str]](term))
        if query.truncation and "." not in field:
            return tantivy.Query.regex_query(self._schema, field, f"{term[0]}.*")
        return self._term(field, term[0])

    def _term(self, field: str, value: str | int) -> Any:
        return tantivy.Query.term_query(self._schema, field, value)

    # -- writing -------------------------------------------------------------------------------------------------

    def apply(self, upserts: Iterable[IndexDocument], deletes: Iterable[int]) -> None:
        # All of them first: one that cannot be indexed must not leave half a change in the writer.
        prepared = [(document.rid, _document(document)) for document in upserts]
        with self._applying:
            writer = self._open_writer()
            try:
                changed = _replace(writer, prepared, deletes)
                writer.commit()
            except BaseException:
                with self._guard:
                    self._writer = None  # it may take nothing more: the next change opens another
                raise
            with self._guard:
                self._cached_searcher = None
                self._reloaded = 0.0
            if self._changed is not None:
                self._changed.update(changed)

    def _open_writer(self) -> Any:
        """The writer of the current generation, with *_applying* held; of a new, empty one if there is none."""
        with self._guard:
            if self._open() is None:
                generation, _ = self._new_generation(_EMPTY)  # usable, but known not to hold what was there before
                self._point_to(generation)
                self._open()
            if self._writer is None or self._writer_generation != self._generation:
                self._release()
                self._writer, self._writer_generation = _writer_of(self._index), self._generation
            return self._writer

    def rebuild(self, documents: Iterable[IndexDocument], again: Reread, left_out: LeftOut = raise_failure) -> int:
        with self._rebuilding:
            with self._applying:
                self._open_writer()  # only the process that applies changes can know them all
                self._changed = set()
            generation, index = self._new_generation()
            writer = None
            try:
                writer = _writer_of(index)
                count = self._fill(writer, documents, again, left_out)
                with self._applying:
                    self._catch_up(writer, again, left_out)
                    writer.commit()
                    self._changed = None
                    replaced = self._switch(generation, index, writer)
            except BaseException:
                self._changed = None
                writer = None
                shutil.rmtree(self.folder / generation, ignore_errors=True)
                raise
            _end_writer(replaced)
            self._delete_other_generations(generation)
            return count

    def _fill(self, writer: Any, documents: Iterable[IndexDocument], again: Reread, left_out: LeftOut) -> int:
        count = 0
        for document in documents:
            try:
                indexed = _document(document)
            except Exception as failure:
                left_out(document.rid, failure)
                continue
            writer.add_document(indexed)
            count += 1
            if count % BATCH == 0:
                self._catch_up(writer, again, left_out, document.rid)
                writer.commit()
        for _ in range(MOST_ROUNDS):  # what is left for the last time, when nobody may write, is little
            if len(self._changed or ()) <= FEW_CHANGES:
                break
            self._catch_up(writer, again, left_out)
        return count

    def _catch_up(self, writer: Any, again: Reread, left_out: LeftOut, until: int | None = None) -> None:
        """Bring the changes made since the rebuild began into the new index, up to the record *until*. Later records
        may have been read already, in their old state, and are not in the new index yet."""
        with self._applying:
            changed = self._changed or set()
            rids = sorted(rid for rid in changed if until is None or rid <= until)
            changed.difference_update(rids)
        for start in range(0, len(rids), CAUGHT_UP_AT_ONCE):
            part = rids[start : start + CAUGHT_UP_AT_ONCE]
            current = []
            for document in again(part):
                try:
                    current.append((document.rid, _document(document)))
                except Exception as failure:
                    left_out(document.rid, failure)
            _replace(writer, current, set(part) - {rid for rid, _ in current})

    def _new_generation(self, mark: str = "") -> tuple[str, Any]:
        generation = f"{SCHEMA}-{mark}{token_hex(6)}"
        folder = self.folder / generation
        folder.mkdir(parents=True)
        return generation, self._index_at(folder)

    def _switch(self, generation: str, index: Any, writer: Any) -> Any:
        """Make a finished generation the current one, and its writer the one for changes. Returns the old writer."""
        with self._guard:
            replaced = self._writer
            self._point_to(generation)
            self._index, self._generation = index, generation
            self._writer, self._writer_generation = writer, generation
            self._cached_searcher = None
            self._reloaded = 0.0
            return replaced

    def _point_to(self, generation: str) -> None:
        new_pointer = self.folder / f".current.{token_hex(4)}"
        new_pointer.write_text(generation)
        new_pointer.replace(self._pointer)

    def _delete_other_generations(self, generation: str) -> None:
        """Readers of the old generation keep its files open, so the names may be deleted."""
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder.name != generation:
                shutil.rmtree(folder, ignore_errors=True)

    def _release(self) -> None:
        _end_writer(self._writer)
        self._writer = None

    def close(self) -> None:
        with self._applying, self._guard:
            self._release()
            self._index = self._cached_searcher = None
            self._generation = ""


def _replace(writer: Any, upserts: Iterable[tuple[int, tantivy.Document]], deletes: Iterable[int]) -> set[int]:
    """*upserts* are documents by rid. Returns the rids changed."""
    changed = set(deletes)
    for rid in changed:
        writer.delete_documents_by_term("id", str(rid))
    for rid, document in upserts:
        writer.delete_documents_by_term("id", str(rid))
        writer.add_document(document)
        changed.add(rid)
    return changed


def _end_writer(writer: Any) -> None:
    if writer is not None:
        with contextlib.suppress(ValueError):
            writer.wait_merging_threads()


def _writer_of(index: Any) -> Any:
    try:
        return index.writer(heap_size=HEAP_BYTES, num_threads=1)
    except ValueError as failure:
        raise WriterTaken("The search index is being written by another process.", why=str(failure)[:200]) from failure
