"""Parameters as PHP applications send them: `bases[]=12`, `status[4]=1`, `metadatas[0][value]=x` (contract 02 §4.2).

Looked up in the query first, then in the path, then in the form, whatever the method. Text is UTF-8 (`edge.text`);
`edge.bodies` reads forms and spools files to disk; the whole body may not exceed the limit given.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope

from vitrine.edge.bodies import (
    MOST_FIELD_BYTES,
    MOST_PARAMETERS,
    BodyTooLarge,
    Pairs,
    Upload,
    boundary_of,
    read_multipart,
    read_urlencoded,
    small_urlencoded,
)
from vitrine.edge.text import pairs_of, require_path
from vitrine.errors import Invalid, Unavailable

Nested = str | dict[str, "Nested"]
MULTIPART = "multipart/form-data"
FORM_MEDIA_TYPES = (MULTIPART, "application/x-www-form-urlencoded")
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_KEY = re.compile(r"\[([^\[\]]*)\]")
DEEPEST = 6
LONGEST_INDEX = 9  # digits: PHP's own arrays end near there, and longer ones are names, not positions
LONGEST_NUMBER = 40  # digits: far beyond any row, so that a mistyped id gets the answer of its own route
LONGEST_ID = 18  # digits: what fits into 64 bits whatever they are
SMALL_BODY_BYTES = 2 * 2**20  # from somebody whose token was checked
FORM_BYTES = 256 * 2**10  # from anybody
_AT_ONCE_BYTES = 64 * 2**10
_WITHOUT_BODY = ("GET", "HEAD")


class Number(Convertor[int]):
    """`{id:int}` of a route. Starlette's own takes any number of digits, and Python refuses to read more than 4300 of
    them: such an address was a failure of ours instead of an address where nothing is."""

    regex = f"[0-9]{{1,{LONGEST_NUMBER}}}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("int", Number())  # routes are compiled when their modules are imported, after this one


def natural(text: str) -> int | None:
    """The number that *text* writes in at most LONGEST_ID ASCII digits; None for every other text. Python's own `int`
    raises for more than 4300 digits, and no column takes more than 64 bits."""
    return int(text) if len(text) <= LONGEST_ID and text.isascii() and text.isdecimal() else None


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Nested]:
    """Pairs of a query or form as nested mappings, the way PHP reads them; list indices become the keys "0", "1" …

    A name that is not well formed is kept as it stands, so that no parameter is lost. Each pair costs the same however
    many came before it: anybody may send these, and they are read in the event loop. Raises Invalid past
    MOST_PARAMETERS pairs.
    """
    root = _Node()
    for count, (name, value) in enumerate(pairs):
        if count == MOST_PARAMETERS:
            raise Invalid("A request may have at most {count} parameters.", values={"count": MOST_PARAMETERS})
        matched = _NAME.fullmatch(name) if "[" in name else None
        if matched is None:
            root[name] = value
            continue
        keys = _KEY.findall(matched[2])
        if len(keys) > DEEPEST:
            raise Invalid("Parameters may not be nested this deep.", field=name[:80])
        _set(root, [matched[1], *keys], value)
    return root


def scalars(parameters_sent: Mapping[str, Any]) -> dict[str, str]:
    """The plain values, for OAuth. A `scope` that is an array does not count as absent: it becomes
    one that nobody grants."""
    plain = {name: value for name, value in parameters_sent.items() if isinstance(value, str)}
    if parameters_sent.get("scope") and "scope" not in plain:
        plain["scope"] = "[]"
    return plain


def repeated(pairs: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Plain names that came more than once: an OAuth parameter must not (RFC 6749 sections 3.1 and 3.2)."""
    if len(dict(pairs)) == len(pairs):
        return frozenset()
    seen: set[str] = set()
    twice = {name for name, _ in pairs if name in seen or seen.add(name)}  # type: ignore[func-returns-value]  # add is None
    return frozenset(name for name in twice if not name.endswith("]"))


class _Node(dict[str, Nested]):
    """A mapping that knows its next unused index, as PHP's arrays do."""

    __slots__ = ("free",)

    def __init__(self) -> None:
        super().__init__()
        self.free = 0


def _set(node: _Node, keys: list[str], value: str) -> None:
    for position, key in enumerate(keys):
        name = key if key or position == 0 else str(node.free)
        if name.isdecimal() and len(name) <= LONGEST_INDEX:
            node.free = max(node.free, int(name) + 1)
        if position == len(keys) - 1:
            node[name] = value
            return
        below = node.get(name)
        if not isinstance(below, _Node):
            below = _Node()
            node[name] = below
        node = below


@dataclass(slots=True)
class Params:
    """All parameters of one request. `files` holds every uploaded part by name, in order; `repeated` names what came
    more than once in the query, or more than once in the form. `media_type` is that of the body, in lower case and
    without its parameters; empty if the method has no body."""

    query: dict[str, Nested] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    form: dict[str, Nested] = field(default_factory=dict)
    files: dict[str, list[Upload]] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()
    media_type: str = ""

    def raw(self, name: str) -> Nested | None:
        for source in (self.query, self.path, self.form):
            if name in source:
                value = source[name]
                return value if isinstance(value, str | dict) else str(value)
        return None

    def text(self, name: str, default: str | None = None) -> str | None:
        """The scalar value; an array under this name counts as absent."""
        value = self.raw(name)
        return value if isinstance(value, str) else default

    def array(self, name: str) -> dict[str, Nested] | None:
        """The array as a mapping in order of arrival; None when absent. A scalar is an array of one, except empty."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        return value if isinstance(value, dict) else {"0": value}

    def values(self, name: str) -> list[str]:
        """The scalar members of an array, in order."""
        return [value for value in (self.array(name) or {}).values() if isinstance(value, str)]

    def integer(self, name: str, default: int) -> int:
        """Raises Invalid naming the parameter when it is there and is not a whole number."""
        value = self.text(name)
        if value is None or value == "":
            return default
        try:
            number = int(value)
        except ValueError:
            raise Invalid(f"{name} must be a whole number.", field=name) from None
        if abs(number) > 2**62:
            raise Invalid(f"{name} is out of range.", field=name)
        return number

    async def close(self) -> None:
        """Release the spooled files; called by the endpoint when its answer is made."""
        for parts in self.files.values():
            for part in parts:
                await part.close()


def header(scope: Scope, name: bytes) -> str:
    """The first header called *name* (in lower case), or an empty text. Starlette's mapping reads all headers each
    time."""
    for header_name, value in scope["headers"]:
        if header_name == name:
            return str(value, "latin-1")  # bytes of a header (RFC 9110 section 5.5): any, each a letter
    return ""


def without_body(request: Request) -> Params:
    """Query and path alone: what can be known before a byte of the body is read. Raises NotUtf8."""
    query = request.scope["query_string"]
    path = request.scope.get("path_params")
    pairs = pairs_of(query) if query else []
    require_path(request.scope)
    return Params(
        nest(pairs) if pairs else {},
        {name: str(value) for name, value in path.items()} if path else {},
        repeated=repeated(pairs) if pairs else frozenset(),
    )


@dataclass(slots=True)
class Allowance:
    """How much of a body is read. *before_files* may raise it, once it knows who sends the form."""

    max_bytes: int
    is_final: bool = True  # else a longer announcement is no reason to refuse yet


def has_form(request: Request) -> bool:
    """True where `parameters` reads a body."""
    if request.scope["method"] in _WITHOUT_BODY:
        return False
    return _media_type(header(request.scope, b"content-type")) in FORM_MEDIA_TYPES


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


async def parameters(
    request: Request,
    *,
    max_bytes: int = FORM_BYTES,
    allowance: Allowance | None = None,
    before_files: Callable[[Params], Awaitable[None]] | None = None,
) -> Params:
    """Read query, path and (when the body is a form) form of *request*, at most *max_bytes* of it, or its *allowance*.

    *before_files* gets what came before the first file, before a byte of that file is kept, and may raise a refusal.
    Raises BodyTooLarge, NotUtf8, or Invalid when a multipart body is broken off. A multipart request without boundary
    or with an empty body counts as having no body: real clients send those (contract 08).
    """
    state = request.scope["state"]
    cached = state.get("params")
    if isinstance(cached, Params):
        return cached
    params = without_body(request)
    if request.scope["method"] not in _WITHOUT_BODY:
        content_type = header(request.scope, b"content-type")
        params.media_type = _media_type(content_type)
        if params.media_type in FORM_MEDIA_TYPES:
            try:
                await _read_form(request, params, content_type, allowance or Allowance(max_bytes), before_files)
            except BaseException:  # its fields may be refused after its files were taken
                await params.close()
                raise
    state["params"] = params
    return params


async def _read_form(
    request: Request,
    params: Params,
    content_type: str,
    allowance: Allowance,
    before_files: Callable[[Params], Awaitable[None]] | None,
) -> None:
    announced = header(request.scope, b"content-length")
    if params.media_type == MULTIPART:
        pairs = [] if announced == "0" else await _read_parts(request, params, content_type, allowance, before_files)
    elif _is_small(announced):
        pairs = small_urlencoded(content_type, await _at_once(request))
    else:
        # Three bytes for one that is percent-encoded, and the marks between fields.
        allowance = Allowance(min(allowance.max_bytes, 4 * MOST_FIELD_BYTES))
        pairs = (await read_urlencoded(content_type, _limited(request, allowance))).pairs
    params.form = nest(pairs)
    params.repeated |= repeated(pairs)


async def _read_parts(
    request: Request,
    params: Params,
    content_type: str,
    allowance: Allowance,
    before_files: Callable[[Params], Awaitable[None]] | None,
) -> Pairs:
    if boundary_of(content_type) is None:
        return []

    async def ask(pairs: Pairs) -> None:
        if before_files is not None:
            await before_files(
                Params(params.query, params.path, nest(pairs), repeated=params.repeated | repeated(pairs))
            )

    try:
        form = await read_multipart(content_type, _limited(request, allowance), ask)
    except OSError as failure:
        raise Unavailable(
            "The server cannot take files at the moment. Nothing was kept; please try again later.",
            why=f"{type(failure).__name__} {failure.errno}",
            retry_after_s=60,
        ) from failure
    for name, upload in form.files:
        params.files.setdefault(name, []).append(upload)
    return form.pairs


def _is_small(announced: str) -> bool:
    """A form that is read at once: the parser for large ones costs more than such a form."""
    return announced.isdecimal() and len(announced) < 6 and int(announced) <= _AT_ONCE_BYTES


async def _at_once(request: Request) -> bytes:
    """A body that announced itself as small, without the machinery for large ones."""
    raw, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The request broke off before its end. Nothing was kept.", why="the client went away")
        raw += message.get("body", b"")
        if len(raw) > _AT_ONCE_BYTES:
            raise BodyTooLarge("The body is longer than it was announced to be.", field="body")
        more = message.get("more_body", False)
    return bytes(raw)


def _too_large(allowance: Allowance) -> BodyTooLarge:
    values = {"bytes": allowance.max_bytes}
    if allowance.is_final:
        return BodyTooLarge("The body may have at most {bytes} bytes.", field="body", values=values)
    return BodyTooLarge(
        "Before the access token a body may have at most {bytes} bytes: send the token in the Authorization header.",
        field="body",
        values=values,
    )


async def _limited(request: Request, allowance: Allowance) -> Any:
    announced = header(request.scope, b"content-length")
    if allowance.is_final and announced.isdecimal() and int(announced) > allowance.max_bytes:
        raise _too_large(allowance)
    seen = 0
    try:
        async for chunk in request.stream():
            seen += len(chunk)
            if seen > allowance.max_bytes:
                raise _too_large(allowance)
            yield chunk
    except ClientDisconnect as gone:
        # Nobody reads the answer. It is no fault of ours, and any long upload may break off.
        raise Invalid("The request broke off before its end. Nothing was kept.", why="the client went away") from gone


async def body(request: Request, *, max_bytes: int = FORM_BYTES) -> bytes:
    """The whole body, at most *max_bytes*. Raises BodyTooLarge, and Invalid for a form: those are read before."""
    if has_form(request):
        raise Invalid("Send the bytes themselves, not a form.", field="body")
    raw = bytearray()  # a list of pieces would take many times as much, if each has one byte
    async for chunk in _limited(request, Allowance(max_bytes)):
        raw += chunk
    return bytes(raw)
