"""The archive's data model: databoxes, collections, structure, records, renditions, permalinks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, NewType

DataboxId = NewType("DataboxId", int)
CollectionId = NewType("CollectionId", int)  # base_id on the wire
RecordId = NewType("RecordId", int)  # unique in the instance, never on the wire
FieldId = NewType("FieldId", int)

LANGUAGES = ("fr", "en", "de", "nl")
DOCUMENT = "document"
THUMBNAIL = "thumbnail"
PREVIEW = "preview"
KINDS = ("image", "video", "audio", "document", "flash", "unknown")
BIN = "_TRASH_"
Labels = Mapping[str, str]


class RecordKey(NamedTuple):
    """A record's identity on the wire: the number is unique only within its databox."""

    databox: DataboxId
    number: int

    def __str__(self) -> str:
        return f"{self.databox}/{self.number}"


@dataclass(frozen=True, slots=True)
class Databox:
    """`terms_number` is the version of its terms of use, 0 without any; whoever accepted `terms_required` or a later
    one need not accept them again."""

    id: DataboxId
    name: str
    view_name: str
    labels: Labels
    version: str
    registration_open: bool = False
    logo: Mapping[str, Any] | None = None
    terms_number: int = 0
    terms_required: int = 0
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Collection:
    """`id` is base_id on the wire, `number` is collection_id. `public_by_link` is what records that are added get."""

    id: CollectionId
    databox_id: DataboxId
    number: int
    name: str
    labels: Labels
    enabled: bool
    public_presentation: str
    default_status: int
    watermark: str | None = None
    stamp: Mapping[str, Any] | None = None
    public_by_link: bool = True
    registration_open: bool | None = None
    logo: Mapping[str, Any] | None = None
    revision: int = 1

    @property
    def is_bin(self) -> bool:
        """A collection of exactly this name is the bin of its databox (06 section 3)."""
        return self.name == BIN


@dataclass(frozen=True, slots=True)
class Field:
    """A metadata field of a databox (06 section 6). `source` and `fallbacks` are `Group:Tag` names of embedded tags."""

    id: FieldId
    databox_id: DataboxId
    name: str
    labels: Labels
    type: str
    multi: bool
    separator: str
    source: str
    fallbacks: tuple[str, ...]
    readonly: bool
    required: bool
    business: bool
    indexable: bool
    aggregable: int
    thumbtitle: bool
    dces_element: str | None
    thesaurus_branch: str
    generate_cterms: bool
    gui_editable: bool
    gui_visible: bool
    printable: bool
    input_disable: bool
    sort_slot: int | None
    vocabulary_type: str | None = None
    vocabulary_restricted: bool = False
    report: bool = True
    title_language: str | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class StatusBit:
    databox_id: DataboxId
    bit: int
    label_on: str
    label_off: str
    labels_on: Labels
    labels_off: Labels
    searchable: bool
    printable: bool
    icon_on: Mapping[str, Any] | None = None
    icon_off: Mapping[str, Any] | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one rendition is made, and which right it requires (`klass`: thumbnail, preview or document)."""

    databox_id: DataboxId
    group: str
    name: str
    klass: str
    mediatype: str
    devices: tuple[str, ...]
    labels: Labels
    options: Mapping[str, Any]
    presets: str | None
    downloadable: bool
    orderable: bool
    substituable: bool
    tobuild: bool
    id: int = 0
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Structure:
    """Everything about databoxes that changes rarely: read once and kept until its version stamp changes."""

    version: int
    databoxes: Mapping[DataboxId, Databox]
    collections: Mapping[CollectionId, Collection]
    fields: Mapping[DataboxId, tuple[Field, ...]]
    status_bits: Mapping[DataboxId, tuple[StatusBit, ...]]
    recipes: Mapping[tuple[DataboxId, str, str], Recipe]
    field_by_id: Mapping[FieldId, Field] = field(default_factory=dict)
    field_order: Mapping[FieldId, int] = field(default_factory=dict)

    def recipes_for(self, databox: DataboxId, group: str) -> tuple[Recipe, ...]:
        """The recipes of one kind of record, in order. Stories use those of images (04 section 8)."""
        return tuple(recipe for key, recipe in self.recipes.items() if key[0] == databox and key[1] == group)

    def recipe(self, databox: DataboxId, group: str, name: str) -> Recipe | None:
        return self.recipes.get((databox, group, name))

    def pictures(self) -> Iterator[Mapping[str, Any]]:
        """Logos of databoxes and collections, icons of status bits: {sha256, mime, width, height, size}."""
        yield from (databox.logo for databox in self.databoxes.values() if databox.logo)
        yield from (collection.logo for collection in self.collections.values() if collection.logo)
        for bits in self.status_bits.values():
            yield from (icon for bit in bits for icon in (bit.icon_on, bit.icon_off) if icon)

    def bin_of(self, databox: DataboxId) -> Collection | None:
        """The bin of a databox, if it has one that is in use."""
        return next((collection for collection in self.collections_of(databox) if collection.is_bin), None)

    def defined_status(self, databox: DataboxId, status: int) -> int:
        """*status* without the bits that the databox does not define, such as one removed since it was stored. The
        first four are not for databoxes to define (06 section 4), and stay."""
        return status & (0b1111 | sum(1 << status_bit.bit for status_bit in self.status_bits.get(databox, ())))

    def is_registration_open(self, collection: Collection) -> bool:
        """May people ask for access? The collection's own switch, else that of its databox (06 section 18)."""
        own = collection.registration_open
        return self.databoxes[collection.databox_id].registration_open if own is None else own

    def collections_of(self, databox: DataboxId) -> tuple[Collection, ...]:
        return tuple(
            collection
            for collection in self.collections.values()
            if collection.databox_id == databox and collection.enabled
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One archived document (or story). `technical` is JSON text, already a list of {name, value} as on the wire.
    While `public_by_link` is false, nothing of the record opens without an account. `titles` are those by language
    that differ from `title`. `in_public_feed` is P of contract 06 section 17.7."""

    id: RecordId
    databox_id: DataboxId
    number: int
    collection_id: CollectionId
    is_story: bool
    cover_record_id: RecordId | None
    kind: str
    mime: str | None
    original_name: str | None
    title: str
    uuid: str
    sha256: str | None
    size: int | None
    status: int
    technical: str
    width: int | None
    height: int | None
    duration_ms: int | None
    creator_id: int | None
    public_by_link: bool
    in_public_feed: bool
    created: datetime
    updated: datetime
    titles: Mapping[str, str] | None = field(default=None, hash=False)

    def title_in(self, language: str) -> str:
        """The title in one of the four languages."""
        return (self.titles or {}).get(language, self.title)

    @property
    def key(self) -> RecordKey:
        return RecordKey(self.databox_id, self.number)

    @property
    def group(self) -> str:
        """The group of recipes that applies."""
        return "image" if self.is_story else self.kind


@dataclass(frozen=True, slots=True)
class Permalink:
    """*activated*: the address opens the file, since its own switch (*switched_on*) and that of its record are on."""

    id: int
    token: str
    label: str
    activated: bool
    switched_on: bool
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Rendition:
    """One file of a record; `document` is the original. Only `state == "ready"` has bytes (`sha256`). Compared by
    identity, as `RecordWithThumbnail` is."""

    record_id: RecordId
    name: str
    state: str
    sha256: str | None
    mime: str
    extension: str
    width: int
    height: int
    size: int
    substituted: bool
    failure: str | None
    failure_detail: str | None
    created: datetime
    updated: datetime
    permalink: Permalink | None = None

    @property
    def is_ready(self) -> bool:
        return self.state == "ready" and self.sha256 is not None


@dataclass(frozen=True, slots=True, eq=False)
class SharedFile:
    """A ready rendition with its permalink and what delivery needs of its record. *klass* is that of its recipe, None
    outside the structure. Compared by identity: the store returns the same object while the row is unchanged, so that
    delivery may cache what it derives from it."""

    title: str
    original_name: str | None
    name: str
    sha256: str
    mime: str
    extension: str
    size: int
    updated: datetime
    klass: str | None
    presentation: str
    token: str
    activated: bool
    is_published: bool  # in a public feed, and its collection is enabled

    @property
    def has_no_overlay(self) -> bool:
        """True when a stranger gets the plain file: the collection's public presentation asks for no overlay (04
        §5)."""
        return self.presentation == "none"

    @property
    def is_public(self) -> bool:
        """Shared caches may store class thumbnail; everything else is for one reader (04 section 3)."""
        return self.name == THUMBNAIL or self.klass == "thumbnail"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one field of one record; `id` is meta_id on the wire."""

    id: int
    field_id: FieldId
    value: str
