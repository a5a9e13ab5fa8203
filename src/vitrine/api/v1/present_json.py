"""Records of API v1 as JSON (contract 02 section 5.1): what is equal for everybody is encoded once and kept.

Only the signed address of a file and its life differ from one person to the next. They are the last two keys of a file
(02 section 5.3), so they are written between two parts that are ready.
"""

from typing import NamedTuple

import msgspec

from vitrine.api.v1 import present
from vitrine.api.v1.present import Frame, Place
from vitrine.library.model import THUMBNAIL, Record, RecordKey, Rendition, Structure
from vitrine.library.records import FullRecord, RecordWithThumbnail
from vitrine.platform.cache import Cache

_BUDGET = 12 * 2**20  # bytes for each of the two caches
_HELD = 2_500  # bytes: about what an entry holds besides its JSON, above all the record that is its key
_encode = msgspec.json.Encoder().encode


class _Encoded(NamedTuple):
    """What was made of a value, for which structure and server. Without a file there is nothing between the parts."""

    structure: Structure
    place: Place
    before: bytes
    after: bytes
    has_file: bool


def _bytes_of(encoded: _Encoded) -> int:
    return _HELD + len(encoded.before) + len(encoded.after)


def _bytes_of_values(encoded: tuple[Structure, bytes]) -> int:
    return _HELD + 2 * len(encoded[1])  # the values are in the key too


_records: Cache[RecordWithThumbnail | Rendition, _Encoded] = Cache("record_json", _BUDGET, weigh=_bytes_of)
# Metadata, status and caption: by the record, and by the values as they are.
_values: Cache[tuple[RecordWithThumbnail, tuple[tuple[int, str], ...]], tuple[Structure, bytes]] = Cache(
    "record_values_json", _BUDGET, weigh=_bytes_of_values
)


def record_json(frame: Frame, shown: RecordWithThumbnail) -> bytes:
    """One record: a page of search results is twenty-five of these."""
    encoded = _records.get(shown)
    if encoded is None or encoded.structure is not frame.structure or encoded.place != frame.place:
        encoded = _record(frame, shown)
        _records.keep(frame, shown, encoded)
    return _signed(frame, encoded, shown.record.key, THUMBNAIL)


def extended_json(frame: Frame, described: FullRecord) -> bytes:
    """A record with `subdefs`, `metadata`, `status` and `caption` (02 section 5.1)."""
    record = described.shown.record
    files = []
    for rendition in described.renditions:
        encoded = _records.get(rendition)
        if encoded is None or encoded.structure is not frame.structure or encoded.place != frame.place:
            encoded = _file(frame, record, rendition)
            _records.keep(frame, rendition, encoded)
        files.append(_signed(frame, encoded, record.key, rendition.name))
    plain = record_json(frame, described.shown)
    return b'%s,"subdefs":[%s],%s' % (plain[:-1], b",".join(files), _values_json(frame, described))


def _record(frame: Frame, shown: RecordWithThumbnail) -> _Encoded:
    before = _encode(present.record_before_thumbnail(frame, shown.record))[:-1] + b',"thumbnail":'
    after = b"," + _encode(present.record_after_thumbnail(shown.record))[1:]
    if shown.thumbnail is None:
        return _Encoded(frame.structure, frame.place, before + b"null", after, has_file=False)
    file = _file(frame, shown.record, shown.thumbnail)
    return file._replace(before=before + file.before, after=file.after + after)


def _file(frame: Frame, record: Record, rendition: Rendition) -> _Encoded:
    # Addresses and tokens of ours need no escaping in JSON.
    before = b'%s,"url":"%s' % (
        _encode(present.subdef_without_url(frame, record, rendition))[:-1],
        frame.base_url.encode(),
    )
    return _Encoded(frame.structure, frame.place, before, b"}", has_file=True)


def _signed(frame: Frame, encoded: _Encoded, key: RecordKey, name: str) -> bytes:
    _, _, before, after, has_file = encoded
    if not has_file:
        return before + after
    return b'%s%s","url_ttl":%d%s' % (before, frame.signer(key, name).encode(), frame.shown_ttl, after)


def _values_json(frame: Frame, described: FullRecord) -> bytes:
    """`metadata`, `status` and `caption`, with the brace that ends the record."""
    key = (described.shown, tuple([(value.id, value.value) for _, value in described.values]))
    known = _values.get(key)
    if known is not None and known[0] is frame.structure:
        return known[1]
    rest = {
        "metadata": present.metadata(described.values),
        "status": present.record_status(frame, described.shown.record),
        "caption": present.caption(described.values),
    }
    encoded = _encode(rest)[1:]
    _values.keep(frame, key, (frame.structure, encoded))
    return encoded
