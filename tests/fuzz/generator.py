"""Requests: a good one for a route, with one or two hostile changes.

Routes come from the application's own table, parameters from the OpenAPI document and from what the handlers' modules
read. Everything is drawn from one `random.Random`, so that a seed gives the same requests again.
"""

import ast
import inspect
import random
import re
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
from starlette.routing import BaseRoute, Route

from tests.fuzz import shapes
from tests.fuzz.request import Headers, Request
from tests.fuzz.world import World

BOUNDARY = b"frontier"
_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_READERS = frozenset(
    {"get", "text", "integer", "array", "values", "raw", "getlist", "_pixels", "fields", "Field", "pop"}
)
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,40}")
Pairs = list[tuple[str, str]]


class Generator:
    """An endless stream of requests to *routes*."""

    def __init__(self, world: World, routes: list[BaseRoute], document: dict[str, Any], seed: int) -> None:
        self.world, self.rng = world, random.Random(seed)
        self.routes = [route for route in routes if isinstance(route, Route)]
        self._bodies = dict(document["paths"])
        self._schemas = document["components"]["schemas"]
        self._all_names = sorted({name for route in self.routes for name in names_read(route)})

    def __iter__(self) -> Iterator[Request]:
        while True:
            yield self.next()

    def next(self) -> Request:
        rng = self.rng
        route = rng.choice(self.routes)
        method = rng.choice(sorted(route.methods or {"GET"}))
        headers, csrf = self.world.headers_of(rng)
        draft = _Draft(self, route, method, headers, csrf)
        draft.sprinkle(rng.choice((0.0, 0.04, 0.1, 0.3)))
        for _ in range(rng.choice((0, 1, 1, 2))):
            rng.choice(_CHANGES)(draft)
        return draft.request()

    def hostile(self, name: str = "") -> str:
        """A text to put in the place of a good one."""
        rng = self.rng
        if name and rng.random() < 0.1:
            return self.world.value(rng.choice(sorted(self.world.values)), rng)
        if name in ("token", "url", "answer", "id_token_hint") and rng.random() < 0.4:
            token = self.signed_token()
            return token if name != "url" else rng.choice(("", "http://dam.test")) + "/medias/" + token
        return rng.choice(rng.choice((shapes.TEXTS, shapes.NUMBERS, shapes.DATES, shapes.ADDRESSES)))

    def signed_token(self) -> str:
        """A JWT whose parts are good or hostile."""
        rng = self.rng
        parts = rng.choice(self.world.signed_tokens).split(".")
        for place in rng.sample(range(3), rng.choice((1, 1, 2))):
            parts[place] = urlsafe_b64encode(rng.choice(shapes.JSON_VALUES)).decode().rstrip("=")
        if rng.random() < 0.3:
            claims = self._fields_of(parts[1])
            claims[rng.choice(("iat", "iss", "sdef", "exp", "link"))] = msgspec.Raw(rng.choice(shapes.JSON_NUMBERS))
            parts[1] = urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")
        return ".".join(parts)

    @staticmethod
    def _fields_of(part: str) -> dict[str, Any]:
        with suppress(ValueError, RecursionError):
            value = msgspec.json.decode(urlsafe_b64decode(part + "=="))
            if isinstance(value, dict):
                return value
        return {"iat": 0, "iss": 1, "sdef": [1, 1, "preview"]}

    def operation(self, route: Route, method: str) -> dict[str, Any]:
        operations: dict[str, Any] = self._bodies.get(_PLACE.sub(r"{\1}", route.path), {})
        operation: dict[str, Any] = operations.get(method.lower(), {})
        return operation

    def names(self, route: Route, method: str) -> list[str]:
        """Parameters that the route may read; now and then one that it does not know."""
        operation = self.operation(route, method)
        described = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
        form = self.schema(operation).get("properties", {})
        return [*described, *form, *names_read(route), self.rng.choice(self._all_names)]

    def schema(self, operation: dict[str, Any]) -> dict[str, Any]:
        """The schema of the request's body; {} where there is none."""
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema: dict[str, Any] = self.resolved(content["schema"])
            return schema
        return {}

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        resolved: dict[str, Any] = self._schemas[name] if name else schema
        return resolved

    def json_of(self, schema: dict[str, Any], name: str = "", depth: int = 0) -> Any:
        """A value that fits *schema*."""
        rng, schema = self.rng, self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return rng.choice(schema["enum"])
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self.json_of(rng.choice(schema[choice]), name, depth)
        kind = schema.get("type", "string")
        kind = rng.choice(kind) if isinstance(kind, list) else kind
        if kind == "object" and depth < 6:
            properties = schema.get("properties", {})
            return {key: self.json_of(below, key, depth + 1) for key, below in properties.items() if rng.random() < 0.8}
        if kind == "array" and depth < 6:
            return [
                self.json_of(schema.get("items", {}), name.rstrip("s"), depth + 1) for _ in range(rng.choice((0, 1, 2)))
            ]
        values = {"integer": rng.choice((0, 1, 24)), "number": 1.5, "boolean": rng.random() < 0.5, "null": None}
        return values[kind] if kind in values else self.world.value(name.replace("redirect_uris", "redirect_uri"), rng)


class _Draft:
    """A good request to one route, in parts that can be changed."""

    def __init__(self, generator: Generator, route: Route, method: str, headers: Headers, csrf: str) -> None:
        self.generator, self.rng, self.world = generator, generator.rng, generator.world
        self.route, self.method = route, method
        rng = self.rng
        self.segments = {name: quote(self._segment(name, kind), safe="") for name, kind in _PLACE.findall(route.path)}
        self.headers: Headers = [(b"host", b"dam.test"), *headers]
        pairs = [(name, self.world.value(name, rng)) for name in generator.names(route, method) if rng.random() < 0.6]
        self.query: Pairs = [] if method in ("POST", "PUT", "PATCH") and rng.random() < 0.8 else pairs
        self.form: Pairs = [] if self.query or method in ("GET", "HEAD", "OPTIONS") else pairs
        self.files: list[tuple[bytes, bytes, bytes]] = []
        if self.form and csrf:
            self.form = [(name, value) for name, value in self.form if name != "csrf"] + [("csrf", csrf)]
        self.raw_query, self.raw_body, self.content_type = b"", b"", b""
        self.json: bytes | None = None
        if method in ("POST", "PUT", "PATCH", "DELETE"):
            self._body()
        if rng.random() < 0.25:
            self.headers += [
                (b"x-requested-with", b"XMLHttpRequest"),
                (b"accept", b"application/json"),
                (b"sec-fetch-site", b"same-origin"),
            ]
        if "If-Match" in str(generator.operation(route, method)) and rng.random() < 0.8:
            self.headers.append((b"if-match", b"*"))

    def _segment(self, name: str, kind: str) -> str:
        if self.route.path == "/medias/{token}":
            return (
                self.rng.choice(self.world.signed_tokens) if self.rng.random() < 0.5 else self.generator.signed_token()
            )
        return self.world.value(name, self.rng) if not kind or name in self.world.values else "1"

    def _body(self) -> None:
        operation = self.generator.operation(self.route, self.method)
        kinds = list(operation.get("requestBody", {}).get("content", {}))
        if any("json" in kind for kind in kinds):
            self.json = msgspec.json.encode(self.generator.json_of(self.generator.schema(operation)))
            self.content_type, self.form = kinds[0].encode(), []
        elif self.rng.random() < 0.2 or any("multipart" in kind for kind in kinds):
            self.content_type = b"multipart/form-data; boundary=" + BOUNDARY
            if self.rng.random() < 0.5:
                self.files = [(b"file", self.rng.choice(shapes.FILENAMES), self.rng.choice(shapes.FILES))]
        else:
            self.content_type = b"application/x-www-form-urlencoded"

    def sprinkle(self, share: float) -> None:
        """Make this *share* of the parameters hostile, and add headers that no route refuses."""
        rng = self.rng
        for pairs in (self.query, self.form):
            for place, (name, value) in enumerate(pairs):
                if name == "csrf" or rng.random() >= share:
                    continue
                hostile = self.generator.hostile(name) if rng.random() < 0.7 else value
                pairs[place] = (name + rng.choice(("", "", "", "[]", "[]", *shapes.BRACKETS)), hostile)
        while rng.random() < 0.35:
            header = rng.choice(shapes.HARMLESS)
            self.headers.append((header, rng.choice(shapes.HEADERS[header]).strip()))
            if header == b"if-range":
                self.headers.append((b"range", rng.choice(shapes.RANGES)))

    # -- hostile changes -----------------------------------------------------------------------------------------

    def change_method(self) -> None:
        self.method = self.rng.choice(shapes.METHODS)

    def change_value(self) -> None:
        pairs = self.form if self.form and (not self.query or self.rng.random() < 0.5) else self.query
        if not pairs:
            self.add_parameter()
            return
        place = self.rng.randrange(len(pairs))
        pairs[place] = (pairs[place][0], self.generator.hostile(pairs[place][0]))

    def change_name(self) -> None:
        pairs = self.form or self.query
        if not pairs:
            self.add_parameter()
            return
        place = self.rng.randrange(len(pairs))
        pairs[place] = (pairs[place][0] + self.rng.choice(shapes.BRACKETS), pairs[place][1])

    def add_parameter(self) -> None:
        name = self.rng.choice(self.generator.names(self.route, self.method))
        name += self.rng.choice(("", "", *shapes.BRACKETS))
        pairs = self.form if self.form else self.query
        value = self.generator.hostile() if self.rng.random() < 0.6 else self.world.value(name, self.rng)
        pairs.extend([(name, value)] * self.rng.choice((1, 1, 2, 3)))

    def change_segment(self) -> None:
        if not self.segments:
            self.change_value()
            return
        name = self.rng.choice(sorted(self.segments))
        self.segments[name] = quote(self.generator.hostile(name), safe="" if self.rng.random() < 0.7 else "/;.")[:9_000]

    def change_raw_segment(self) -> None:
        if not self.segments:
            self.change_raw_query()
            return
        name = self.rng.choice(sorted(self.segments))
        raw = self.rng.choice(shapes.RAW_BYTES)
        self.segments[name] = raw.decode("latin-1").replace("?", "")

    def change_raw_query(self) -> None:
        name = quote_plus(self.rng.choice(self.generator.names(self.route, self.method))).encode()
        raw = self.rng.choice(shapes.RAW_BYTES)
        self.raw_query += self.rng.choice((b"&" + name + b"=" + raw, b"&" + raw + b"=1", b"&" + name + raw, raw))

    def change_header(self) -> None:
        name = self.rng.choice(sorted(shapes.HEADERS))
        value = self.rng.choice(shapes.HEADERS[name])
        if self.rng.random() < 0.8:
            self.headers = [pair for pair in self.headers if pair[0] != name]
        self.headers.append((name, value.strip()))

    def change_condition(self) -> None:
        """Files answer to these headers, which meet only where a file would be sent."""
        name = self.rng.choice((b"if-modified-since", b"if-unmodified-since", b"if-range", b"range", b"accept"))
        self.headers.append((name, self.rng.choice(shapes.HEADERS[name]).strip()))
        if name == b"if-range":
            self.headers.append((b"range", self.rng.choice(shapes.RANGES)))

    def change_body(self) -> None:
        """A JSON body with a hostile value in a place of it, or nothing but one."""
        rng = self.rng
        hostile = rng.choice(shapes.JSON_VALUES)
        if rng.random() < 0.3:
            hostile = msgspec.json.encode(self.generator.hostile())
        if self.method in ("GET", "HEAD", "OPTIONS"):
            self.method = "POST"
        if self.json is None:
            pairs = dict(self.form)
            self.json = msgspec.json.encode(pairs)
        self.content_type = rng.choice((b"application/json", self.content_type))
        value: Any = None
        with suppress(ValueError, RecursionError):  # it may be changed a second time
            value = msgspec.json.decode(self.json)
        places = list(_places(value))
        if not places or rng.random() < 0.2:
            self.json = hostile
            return
        container, key = rng.choice(places)
        container[key] = msgspec.Raw(b"[" + hostile + b"]" if rng.random() < 0.2 else hostile)
        self.json = msgspec.json.encode(value)
        if rng.random() < 0.1:
            self.json = self.json[:-1] + b',"name":1,"name":2' + self.json[-1:]

    def change_content_type(self) -> None:
        self.content_type = self.rng.choice(shapes.CONTENT_TYPES)

    def change_raw_body(self) -> None:
        raw = bytearray(self._encoded_body() or b"a=b")
        for _ in range(self.rng.choice((1, 2, 5))):
            place = self.rng.randrange(len(raw) + 1)
            kind = self.rng.random()
            if kind < 0.4:
                raw[place:place] = self.rng.choice(
                    (b"\x00", b"\xff", b"\r\n", b"--frontier", b"%", b"&", b'"', b"\\", b"{", b";", b"=")
                )
            elif kind < 0.7:
                del raw[place : place + self.rng.choice((1, 3, 40))]
            elif place < len(raw):
                raw[place] ^= 1 << self.rng.randrange(8)
        self.raw_body = bytes(raw)

    def change_files(self) -> None:
        name = self.rng.choice(self.generator.names(self.route, self.method)).encode()
        self.files.append(
            (self.rng.choice((b"file", name)), self.rng.choice(shapes.FILENAMES), self.rng.choice(shapes.FILES))
        )
        self.content_type = b"multipart/form-data; boundary=" + BOUNDARY
        self.json = None

    # -- the request ---------------------------------------------------------------------------------------------

    def request(self) -> Request:
        path = _PLACE.sub(lambda place: self.segments[place[1]], self.route.path).encode("latin-1", "replace")
        query = b"&".join(_encoded(name) + b"=" + _encoded(value) for name, value in self.query) + self.raw_query
        body = self.raw_body or self._encoded_body()
        headers = self.headers
        if body or self.content_type:
            headers = [pair for pair in headers if pair[0] != b"content-type"] + [(b"content-type", self.content_type)]
        target = (path + (b"?" + query if query else b"")).replace(b" ", b"%20")
        return Request(self.method, re.sub(rb"[\x00-\x20\x7f]", b"%01", target), headers, body)

    def _encoded_body(self) -> bytes:
        if self.json is not None:
            return self.json
        if b"multipart" in self.content_type:
            return _multipart(self.form, self.files) if self.form or self.files else b""
        return b"&".join(_encoded(name) + b"=" + _encoded(value) for name, value in self.form)


_CHANGES: tuple[Callable[[_Draft], None], ...] = (
    _Draft.change_method, *(_Draft.change_value,) * 6, _Draft.change_name,
    _Draft.add_parameter, _Draft.add_parameter, _Draft.change_segment, _Draft.change_segment, _Draft.change_raw_segment,
    _Draft.change_raw_query, _Draft.change_header, _Draft.change_header, _Draft.change_condition, _Draft.change_body,
    _Draft.change_body, _Draft.change_content_type, _Draft.change_raw_body, _Draft.change_files,
)  # fmt: skip


def _encoded(text: str) -> bytes:
    return quote_plus(text.encode("utf-8", "surrogatepass")).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: its container and its key or position there."""
    keys: Any = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _multipart(pairs: Pairs, files: list[tuple[bytes, bytes, bytes]]) -> bytes:
    parts = [
        b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (_quoted(name), value.encode("utf-8", "surrogatepass"))
        for name, value in pairs
    ]
    parts += [
        b'Content-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: image/jpeg\r\n\r\n%b' % file
        for file in files
    ]
    return b"".join(b"--%b\r\n%b\r\n" % (BOUNDARY, part) for part in parts) + b"--%b--\r\n" % BOUNDARY


def _quoted(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass").replace(b'"', b"%22").replace(b"\r", b"").replace(b"\n", b"")


def handler_of(route: Route) -> Callable[..., Any]:
    """The function that the project wrote for *route*, inside of what wraps it."""
    handler: Callable[..., Any] = inspect.unwrap(route.endpoint)
    for _ in range(3):
        inner = inspect.getclosurevars(handler).nonlocals.get("handler") if inspect.isfunction(handler) else None
        if inner is None:
            break
        handler = inspect.unwrap(inner)
    return handler


def names_read(route: Route) -> tuple[str, ...]:
    """The names that the handler's module reads from anything: most are parameters."""
    return _names_in(handler_of(route).__module__)


@cache
def _names_in(module: str) -> tuple[str, ...]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.Call) and _called(node.func) in _READERS:
            names |= {
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            }
            names |= {keyword.arg for keyword in node.keywords if keyword.arg}
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        ):
            names.add(node.slice.value)
    return tuple(sorted(name for name in names if _NAME.fullmatch(name)))


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
