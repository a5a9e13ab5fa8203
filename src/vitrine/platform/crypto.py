"""The server key, the keys derived from it, and the format of Vitrine's secrets.

A secret is `vit_<kind>_<30 base62><6 base62 of CRC32>` (design 5.5): leak scanners recognise it, and a mistyped one is
refused without a look-up. Codes and tokens are stored as SHA-256 digests: they hold about 178 bits, so a slow hash
would add nothing. A secret that a page must show again is also stored encrypted under the server key.
"""

import base64
import hashlib
import hmac
import os
import secrets
import string
import zlib
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vitrine.platform.cache import Cache

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
KINDS = frozenset({"at", "rt", "ac", "dc", "cs", "pat", "wh"})
# Pairs of digits by value: low digit first for numbers written from the end, high digit first for reading order.
_PAIRS = [low + high for high in BASE62 for low in BASE62]
_PAIRS_READ = [high + low for high in BASE62 for low in BASE62]
_RANDOM = 30
_CHECK = 6
_BODY = _RANDOM + _CHECK


def digest(secret: str) -> bytes:
    """SHA-256 of a high-entropy secret, the form in which it is stored and looked up."""
    return hashlib.sha256(secret.encode()).digest()


def random_base62(length: int) -> str:
    return _to_base62(secrets.randbelow(62**length), length)


def _to_base62(number: int, length: int) -> str:
    """*number* in *length* base62 digits, least significant first; excess digits are dropped."""
    parts = []
    for _ in range((length + 1) // 2):
        number, remainder = divmod(number, 62 * 62)
        parts.append(_PAIRS[remainder])
    return "".join(parts)[:length]


def new_secret(kind: str) -> str:
    """A new secret of one of KINDS (`at` access token, `rt` refresh token, `ac` code, `cs` client secret, …)."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of secret: {kind}")
    body = f"vit_{kind}_{random_base62(_RANDOM)}"
    return body + _checksum(body)


def derived_secret(kind: str, raw: bytes) -> str:
    """A secret of the same format, derived from 32 unguessable bytes. The same bytes give the same secret."""
    text = _to_base62(int.from_bytes(raw, "big"), _RANDOM)
    body = f"vit_{kind}_{text}"
    return body + _checksum(body)


def last_four(secret: str) -> str:
    """The last four characters, by which a person recognises a secret; empty for a secret so short that they would
    reveal it."""
    return secret[-4:] if len(secret) >= 16 else ""


def is_mistyped(secret: str) -> bool:
    """True if *secret* has our format but a wrong checksum, so no look-up can succeed."""
    if not secret.startswith("vit_"):
        return False  # imported secrets may have any printable format (design 5.5)
    head, _, tail = secret.rpartition("_")
    if len(tail) != _BODY or head[4:] not in KINDS:
        return True
    return secret[-_CHECK:] != _checksum(secret[:-_CHECK])


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    number, low = divmod(number, 3844)
    high, middle = divmod(number, 3844)
    return f"{_PAIRS_READ[high]}{_PAIRS_READ[middle]}{_PAIRS_READ[low]}"


class Vault:
    """Uses the server key: encrypts the secrets that a page shows again, and derives signing keys."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("the server key must have 32 bytes")
        self._key = key
        self._derived: Cache[str, bytes] = Cache("derived_keys", 10_000)
        self._fernet = Fernet(base64.urlsafe_b64encode(self.derive("encryption")))

    @classmethod
    def in_folder(cls, folder: Path) -> "Vault":
        """Open the key file of an instance. Creates it on first use (mode 0600, never half-written)."""
        path = folder / "server.key"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            temporary = folder / f".server.key.{os.getpid()}.{secrets.token_hex(4)}"
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32).hex().encode())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)  # fails if another process was first: its key counts
            except FileExistsError:
                pass  # the winner's key is read below
            finally:
                temporary.unlink()
        return cls(bytes.fromhex(path.read_text().strip()))

    def derive(self, purpose: str) -> bytes:
        """32 bytes bound to *purpose*: one purpose's key tells nothing about another's (RFC 5869)."""
        known = self._derived.get(purpose)
        if known is None:
            derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"vitrine/{purpose}".encode())
            known = derivation.derive(self._key)
            self._derived.put(purpose, known)
        return known

    def encrypt(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Raises ValueError if the secret was encrypted under another key."""
        try:
            return self._fernet.decrypt(encrypted.encode()).decode()
        except InvalidToken as failure:
            raise ValueError("encrypted under another server key") from failure

    def instance_id(self) -> str:
        """The prefix of every `resource_id` (contract 02 section 1: 32 hex digits made from the install key)."""
        return self.derive("instance id").hex()[:32]


def signature(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def same(left: bytes | str, right: bytes | str) -> bool:
    """Compare in constant time."""
    left_bytes = left.encode() if isinstance(left, str) else left
    right_bytes = right.encode() if isinstance(right, str) else right
    return hmac.compare_digest(left_bytes, right_bytes)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Raises ValueError when *text* is not base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
