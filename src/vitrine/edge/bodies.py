"""Bodies of forms, both kinds, read by python-multipart alone: it finds names, values and files as bytes, and this
module makes text of them (docs/decisions/0085).

Starlette's own form classes stand on the same library, but read what is not UTF-8 as Latin-1.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart import MultipartParser, QuerystringParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile

from vitrine.edge.spool import Spool, SpooledFile
from vitrine.edge.text import NotUtf8, decoded, pair, pairs_of, shown_name
from vitrine.errors import Invalid
from vitrine.platform.texts import readable_name

MOST_PARAMETERS = 5_000
MOST_FILES = 1_000
LONGEST_VALUE_BYTES = 2 * 2**20
MOST_FIELD_BYTES = 8 * 2**20  # all fields of a form, which stay in memory; files do not
# What is called ISO-8859-1 is windows-1252 (WHATWG Encoding Standard). Not `codecs.lookup`: it knows `utf-7`, and
# remembers every name that anybody asks for.
_CHARSETS = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "cp1252",
    "latin1": "cp1252", "windows-1252": "cp1252", "cp1252": "cp1252", "iso-8859-15": "iso8859-15",
}  # fmt: skip
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\Z)', re.DOTALL)
_EXTENDED = re.compile(rb";\s*filename\*\s*=\s*([\w.-]*)'[^']*'([^;\s]+)", re.IGNORECASE)
Pairs = list[tuple[str, str]]
# Called with the fields that came before the first file, before a byte of it is kept.
BeforeFiles = Callable[[Pairs], Awaitable[None]]


class BodyTooLarge(Invalid):
    """The request body exceeds what this route accepts."""

    code = "body_too_large"


class Upload(UploadFile):
    """A file of a form. *is_name_guessed*: its name was not in the charset of the form, and is what we made of it."""

    is_name_guessed = False


@dataclass(slots=True)
class Form:
    pairs: Pairs
    files: list[tuple[str, Upload]] = field(default_factory=list)


async def read_urlencoded(content_type: str, chunks: AsyncIterator[bytes]) -> Form:
    """Raises BodyTooLarge, or Invalid: too many or too long, not UTF-8, an unknown charset."""
    reader = _Urlencoded()
    async for chunk in chunks:
        reader.write(chunk)
    return reader.form(content_type)


def small_urlencoded(content_type: str, raw: bytes) -> Pairs:
    """The same for a small body that has arrived. Without a charset it is read as a query is, since the library would
    take half the time of an introspection. Both give equal answers (`bodies_properties.py`)."""
    if ";" not in content_type and b"_charset_" not in raw:
        return pairs_of(raw)
    reader = _Urlencoded()
    reader.write(raw)
    return reader.form(content_type).pairs


class _Urlencoded:
    """Collects the fields of a form as bytes."""

    __slots__ = ("_fields", "_memory", "_name", "_parser", "_value")

    def __init__(self) -> None:
        self._memory = _Memory()
        self._fields: list[tuple[bytes, bytes]] = []
        self._parser = QuerystringParser(
            {
                "on_field_start": self._start,
                "on_field_name": self._on_name,
                "on_field_data": self._on_value,
                "on_field_end": self._end,
            }
        )
        self._start()

    def write(self, chunk: bytes) -> None:
        self._parser.write(chunk)

    def form(self, content_type: str) -> Form:
        self._parser.finalize()
        charset = _charset(content_type, self._fields)
        return Form([pair(name, value, charset) for name, value in self._fields])

    def _start(self) -> None:
        self._name, self._value = bytearray(), bytearray()  # bytes would be copied again with each tiny chunk

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._memory.take(end - start)
        self._name += data[start:end]
        _require_short(self._name)

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._memory.take(end - start)
        self._value += data[start:end]
        _require_short(self._value)

    def _end(self) -> None:
        if len(self._fields) == MOST_PARAMETERS:
            raise _too_many()
        self._fields.append((bytes(self._name), bytes(self._value)))


class _Memory:
    """Counts what the fields of a form take."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken = 0

    def take(self, size: int) -> None:
        """Raises BodyTooLarge."""
        self._taken += size
        if self._taken > MOST_FIELD_BYTES:
            raise BodyTooLarge(
                "The fields of a form may have at most {bytes} bytes together.",
                field="body",
                values={"bytes": MOST_FIELD_BYTES},
            )


@dataclass(slots=True)
class _Part:
    """One part: a file when it has a file name, else a field."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    name: bytes = b""
    filename: bytes | None = None
    is_extended: bool = False
    content: bytearray = field(default_factory=bytearray)
    is_file: bool = False
    file: SpooledFile | None = None

    def understand(self) -> None:
        """Read the headers, once they are there. Raises Invalid without a name."""
        headers = dict(self.headers)
        disposition = headers.get(b"content-disposition", b"")
        _, options = parse_options_header(disposition)
        if b"name" not in options:
            raise _malformed("a part without a name")
        self.name, self.filename = options[b"name"], options.get(b"filename")
        extended = _EXTENDED.search(_QUOTED.sub(b'""', disposition)) if self.filename is None else None
        if extended is not None:  # RFC 7578 section 4.2 forbids it, and older clients send nothing else
            self.filename, self.is_extended = extended[2], True
        if self.filename is not None:
            self.is_file = True

    def value(self, charset: str) -> tuple[str, str]:
        declared = _declared(dict(self.headers).get(b"content-type", b""))
        if declared and declared not in _CHARSETS:
            raise _unknown_charset(shown_name(self.name), declared)
        try:
            return self.name.decode(charset), self.content.decode(_CHARSETS[declared] if declared else charset)
        except UnicodeDecodeError:
            raise NotUtf8(self.name) from None

    def upload(self, charset: str) -> tuple[str, Upload]:
        assert self.file is not None
        assert self.filename is not None
        content: Any = self.file
        upload = Upload(content, size=self.file.size, headers=Headers(raw=self.headers))
        raw = unquote_to_bytes(self.filename) if self.is_extended else self.filename
        upload.filename, upload.is_name_guessed = readable_name(raw, charset)
        try:
            return self.name.decode(charset), upload
        except UnicodeDecodeError:
            raise NotUtf8(self.name) from None


def boundary_of(content_type: str) -> bytes | None:
    """None without such a parameter. Raises Invalid when it is empty (RFC 2046 section 5.1.1)."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if boundary == b"":
        raise _malformed("an empty boundary")
    return boundary


async def read_multipart(
    content_type: str, chunks: AsyncIterator[bytes], before_files: BeforeFiles | None = None
) -> Form:
    """Raises Invalid as `read_urlencoded` does, and when the body is broken off; OSError when the disk takes no more;
    what *before_files* raises. No file is left open then."""
    spool = Spool()
    try:
        reader = _Multipart(content_type, spool, before_files)
        async for chunk in chunks:
            await reader.write(chunk)
        form = reader.form()
    except BaseException as failure:
        spool.close()
        if isinstance(failure, FormParserError):
            raise _malformed(str(failure)) from failure
        raise
    if not form.files:
        spool.close()
    return form


class _Multipart:
    """Collects parts; what belongs to files is written between two chunks, since it may have to wait for the disk."""

    def __init__(self, content_type: str, spool: Spool, before_files: BeforeFiles | None) -> None:
        boundary = boundary_of(content_type)
        if boundary is None:
            raise _malformed("no boundary")
        self.fields: list[_Part] = []
        self.files: list[_Part] = []
        self._content_type = content_type
        self._spool = spool
        self._before_files = before_files
        self._part = _Part()
        self._memory = _Memory()
        self._header_name = self._header_value = b""
        self._due: list[tuple[SpooledFile, bytes]] = []
        self._is_open = False
        self._fields_before = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_content,
                "on_part_end": self._end,
            },
        )

    async def write(self, chunk: bytes) -> None:
        self._parser.write(chunk)
        if self.files and self._before_files is not None:
            ask, self._before_files = self._before_files, None
            await ask(self._pairs(self.fields[: self._fields_before]))
        for file, content in self._due:
            await file.append(content)
        self._due.clear()

    def form(self) -> Form:
        self._parser.finalize()
        if self._is_open:
            raise _malformed("the last part does not end")
        charset = _charset(self._content_type, [(part.name, bytes(part.content)) for part in self.fields])
        files = [part.upload(charset) for part in self.files]
        return Form(self._pairs(self.fields), files)

    def _pairs(self, fields: list[_Part]) -> Pairs:
        charset = _charset(self._content_type, [(part.name, bytes(part.content)) for part in fields])
        return [part.value(charset) for part in fields]

    def _begin(self) -> None:
        self._part, self._is_open = _Part(), True

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._memory.take(end - start)
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._memory.take(end - start)
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._part.headers.append((self._header_name.lower(), self._header_value))
        self._header_name = self._header_value = b""

    def _on_headers(self) -> None:
        self._part.understand()
        parts, limit = (self.files, MOST_FILES) if self._part.is_file else (self.fields, MOST_PARAMETERS)
        if self._part.is_file:
            self._part.file = self._spool.begin()
            if not self.files:
                self._fields_before = len(self.fields)
        parts.append(self._part)
        if len(parts) > limit:
            raise _too_many()

    def _on_content(self, data: bytes, start: int, end: int) -> None:
        if self._part.file is not None:
            self._due.append((self._part.file, data[start:end]))
            return
        self._memory.take(end - start)
        self._part.content += data[start:end]
        _require_short(self._part.content)

    def _end(self) -> None:
        self._is_open = False


def _charset(content_type: str, fields: list[tuple[bytes, bytes]]) -> str:
    """The charset of a form: of its field `_charset_` (RFC 7578 section 4.6), else of the header, else UTF-8."""
    named = next((value for name, value in fields if name == b"_charset_" and value), b"")
    if named:
        charset, field_name = decoded(named, "latin-1").strip().lower(), "_charset_"
    else:
        charset, field_name = _declared(content_type) if ";" in content_type else "", "charset"
    if charset and charset not in _CHARSETS:
        raise _unknown_charset(field_name, charset)
    return _CHARSETS[charset] if charset else "utf-8"


def _declared(content_type: str | bytes) -> str:
    _, options = parse_options_header(content_type)
    return options.get(b"charset", b"").decode("latin-1").strip().lower()  # header bytes (RFC 9110 section 5.5)


def _require_short(value: bytes | bytearray) -> None:
    if len(value) > LONGEST_VALUE_BYTES:
        raise _malformed("a value longer than two megabytes")


def _too_many() -> Invalid:
    return Invalid("A request may have at most {count} parameters and 1000 files.", values={"count": MOST_PARAMETERS})


def _malformed(why: str) -> Invalid:
    return Invalid("The form that was sent is broken off or not well formed.", why=why[:200])


def _unknown_charset(name: str, charset: str) -> Invalid:
    return Invalid(
        "The charset {charset} of {name} is not known here; send UTF-8.",
        field=name,
        values={"name": name, "charset": shown_name(charset)},
    )
