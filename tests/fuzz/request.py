"""One request as bytes, and how to repeat it by hand."""

import shlex
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from vitrine.edge.text import ascii_target

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """*target* is path and query as they stand in the request line; header names are in lower case."""

    method: str
    target: bytes
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    def scope(self) -> dict[str, Any]:
        """The ASGI scope that uvicorn makes of it."""
        path, _, query = ascii_target(self.target).partition(b"?")
        length = [(b"content-length", str(len(self.body)).encode())] if self.body and not self._has_length() else []
        return {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
            "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 40_000), "root_path": "", "method": self.method,
            "path": unquote(path.decode()), "raw_path": path, "query_string": query,
            "headers": [*self.headers, *length], "state": {},
        }  # fmt: skip

    def encoded(self) -> bytes:
        """The message as it goes over the wire (RFC 9112), with the length that its body has."""
        kept = [pair for pair in self.headers if pair[0] != b"content-length"]
        lines = [self.method.encode() + b" " + self.target + b" HTTP/1.1"]
        lines += [b"%b: %b" % pair for pair in kept] + [b"content-length: %d" % len(self.body)]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body

    def curl(self, base: str = "http://127.0.0.1:8000") -> str:
        """A command for bash that sends the same bytes."""
        words = ["curl", "-si", "--path-as-is", "-g", "-X", self.method]
        for name, value in self.headers:
            words += ["-H", _quoted(name + b": " + value)]
        if self.body:
            words += ["--data-binary", _quoted(self.body)] if b"\0" not in self.body else ["--data-binary", "@-"]
        command = " ".join([*words, _quoted(base.encode() + ascii_target(self.target))])
        return f"printf '{_octal(self.body)}' | {command}" if b"\0" in self.body else command

    def _has_length(self) -> bool:
        return any(name == b"content-length" for name, _ in self.headers)


def _quoted(raw: bytes) -> str:
    if raw.isascii() and raw.decode().isprintable():
        return shlex.quote(raw.decode())
    return "$'" + "".join(_escaped(byte) for byte in raw) + "'"


def _escaped(byte: int) -> str:
    character = chr(byte)
    return character if 0x20 <= byte < 0x7F and character not in "'\\" else f"\\x{byte:02x}"


def _octal(raw: bytes) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 0x7F else f"\\{byte:03o}" for byte in raw)
