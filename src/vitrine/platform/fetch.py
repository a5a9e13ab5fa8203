"""Fetch documents from addresses that people give, behind the address guard.

The name is resolved once, all its addresses must be public, and the connection goes to the checked address (a second
look-up could give another one). A few redirects are followed, each checked in the same way. Size and time are limited.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import httpx

from vitrine.errors import Invalid
from vitrine.platform.texts import readable_name

MOST_REDIRECTS = 3
SECONDS = 120.0
PORTS = (80, 443, 8000, 8080, 8443)
Resolve = Callable[[str, int], list[str]]


class CannotFetch(Invalid):
    """The address may not be fetched, or the request failed."""

    code = "cannot_fetch"


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name. Raises CannotFetch if it has none."""
    try:
        return list(
            {str(address_info[4][0]) for address_info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        )
    except (OSError, UnicodeError) as failure:
        raise CannotFetch("The address cannot be found.", field="url", why=str(failure)) from failure


def is_public(address: str) -> bool:
    """True only for a public address. An IPv4 address embedded in an IPv6 one is checked itself."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a call: status, media type without parameters, and the whole body."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Fetcher:
    """*resolve* and *allowed* are replaced in tests, whose servers have no public address, and for hosts that an
    operator marked as internal. *trust* is the TLS context that checks certificates (None: the default one)."""

    max_bytes: int
    resolve: Resolve = resolve
    allowed: Callable[[str], bool] = is_public
    ports: Container[int] = PORTS
    trust: ssl.SSLContext | None = None

    def fetch(self, url: str, into: Path, headers: Mapping[str, str] | None = None) -> str:
        """Download *url* into the file *into* and return its name. *headers* may hold a secret: a redirect to another
        origin goes without them. Raises CannotFetch."""
        deadline = monotonic() + SECONDS
        for _ in range(MOST_REDIRECTS + 1):
            location = self._fetch_once(url, into, deadline, headers or {})
            if location is None:
                return readable_name(unquote_to_bytes(urlsplit(url).path.rpartition("/")[2]))[0] or "untitled"
            target = urljoin(url, location)
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                headers = None
            url = target
        raise CannotFetch("The address redirects too often.", field="url")

    def call(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 10.0,
    ) -> Answer:
        """GET *url*, or POST *form* to it. Redirects are returned, not followed. Raises CannotFetch.

        The refusal never contains the response text, which may hold a secret."""
        deadline, body = monotonic() + seconds, bytearray()
        with self._open(url, headers or {}, seconds, form) as answer:
            for chunk in answer.iter_raw(1 << 16):  # the request asked for identity encoding; nothing is decompressed
                body += chunk
                if len(body) > self.max_bytes or monotonic() > deadline:
                    raise CannotFetch("The answer is too large or takes too long.", field="url")
            media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Answer(answer.status_code, media_type, bytes(body))

    def _fetch_once(self, url: str, into: Path, deadline: float, headers: Mapping[str, str]) -> str | None:
        with self._open(url, {"Accept": "*/*", **headers}, 20) as answer:
            if answer.has_redirect_location:
                return answer.headers["location"]
            if answer.status_code != 200:
                raise CannotFetch(f"The address answered {answer.status_code}, not a document.", field="url")
            self._save(answer, into, deadline)
        return None

    @contextmanager
    def _open(
        self, url: str, headers: Mapping[str, str], seconds: float, form: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """The response from exactly the checked address; the body is not read yet."""
        host, port, address = self._checked(url)
        parts = urlsplit(url)
        target = parts._replace(netloc=f"[{address}]:{port}" if ":" in address else f"{address}:{port}", fragment="")
        sent = {"Host": parts.netloc.rpartition("@")[2], "Accept-Encoding": "identity", **headers}
        method, body = ("GET", None) if form is None else ("POST", dict(form))
        try:
            with (
                httpx.Client(
                    timeout=seconds, trust_env=False, follow_redirects=False, verify=self.trust or True
                ) as client,
                client.stream(
                    method, target.geturl(), headers=sent, data=body, extensions={"sni_hostname": host}
                ) as answer,
            ):
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise CannotFetch(
                "The document could not be fetched.", field="url", why=type(failure).__name__
            ) from failure

    def _checked(self, url: str) -> tuple[str, int, str]:
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise CannotFetch("This is not a web address.", field="url") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise CannotFetch("The address must begin with http:// or https:// and contain no login.", field="url")
        addresses = self.resolve(parts.hostname, port)
        if port not in self.ports or not addresses or not all(self.allowed(address) for address in addresses):
            raise CannotFetch("This address may not be fetched.", field="url", why=f"{port} {addresses}")
        return parts.hostname, port, addresses[0]

    def _save(self, answer: httpx.Response, into: Path, deadline: float) -> None:
        size = 0
        with into.open("wb") as file:
            for chunk in answer.iter_bytes(1 << 18):
                size += len(chunk)
                if size > self.max_bytes or monotonic() > deadline:
                    raise CannotFetch("The document is too large or takes too long to fetch.", field="url")
                file.write(chunk)
