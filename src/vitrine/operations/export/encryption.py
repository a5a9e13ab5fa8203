"""Credentials in an export are encrypted under a passphrase: scrypt, then ChaCha20-Poly1305 in chunks.

Each file has a key of its own, derived from the passphrase's key and the file's path, so chunks of one file do not fit
into another. A nonce is the number of the chunk, and tells which chunk is the last: none can be moved, left out or cut
off. The salt is new in each run, so no key is ever used twice. See docs/wire/export.md for the format.
"""

import secrets
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from vitrine.errors import Invalid

CHUNK = 64 * 1024
TAG_BYTES = 16
LEAST_LENGTH = 12  # of a passphrase
_N, _R, _P = 2**17, 8, 1  # OWASP's first choice for scrypt
_MOST_N = 2**20  # a gigabyte of memory


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the key is derived from the passphrase, as export.json has it."""

    salt: bytes
    n: int = _N
    r: int = _R
    p: int = _P
    kdf: str = "scrypt"
    cipher: str = "chacha20-poly1305"


def new_parameters() -> Parameters:
    return Parameters(salt=secrets.token_bytes(32))


def read_passphrase(path: Path) -> str:
    """The first line of a file. Raises Invalid if it is too short."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise Invalid(f"{path} cannot be read as a text with a passphrase.", field="passphrase_file") from None
    return checked_passphrase(lines[0] if lines else "")


def checked_passphrase(passphrase: str) -> str:
    if len(passphrase) < LEAST_LENGTH:
        raise Invalid(f"The passphrase needs at least {LEAST_LENGTH} characters.", field="passphrase")
    return passphrase


class Envelope:
    """Encrypts and decrypts the files of one export."""

    def __init__(self, passphrase: str, parameters: Parameters) -> None:
        """Raises Invalid for parameters that are not ours."""
        n = parameters.n
        is_known = (parameters.kdf, parameters.cipher, parameters.r, parameters.p) == (
            "scrypt", "chacha20-poly1305", _R, _P,
        )  # fmt: skip
        if not is_known or not 2**14 <= n <= _MOST_N or n & (n - 1) or not 16 <= len(parameters.salt) <= 64:
            raise Invalid("data/export.json: the credentials are encrypted in an unknown way.", field="source")
        derivation = Scrypt(salt=parameters.salt, length=32, n=n, r=_R, p=_P)
        self._key = derivation.derive(passphrase.encode())

    def _cipher(self, path: str) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(HKDFExpand(SHA256(), 32, f"vitrine export {path}".encode()).derive(self._key))

    def encrypt(self, path: str, plain: Iterator[bytes]) -> Iterator[bytes]:
        """The content of the file *path*, for any pieces of plain text."""
        cipher, number, waiting = self._cipher(path), 0, b""
        for piece in plain:
            waiting += piece
            while len(waiting) > CHUNK:
                yield _framed(cipher.encrypt(_nonce(number, is_last=False), waiting[:CHUNK], None))
                number, waiting = number + 1, waiting[CHUNK:]
        yield _framed(cipher.encrypt(_nonce(number, is_last=True), waiting, None))

    def decrypt(self, path: str, reader: BinaryIO) -> Iterator[bytes]:
        """The plain text in pieces. Raises Invalid for a wrong passphrase or a changed file."""
        cipher, number = self._cipher(path), 0
        chunk, following = _frame(reader, path), _frame(reader, path)
        while chunk is not None:
            try:
                yield cipher.decrypt(_nonce(number, is_last=following is None), chunk, None)
            except InvalidTag:
                raise Invalid(
                    f"{path}: the passphrase is wrong, or the file was changed.", field="passphrase"
                ) from None
            chunk, number = following, number + 1
            following = _frame(reader, path) if chunk is not None else None
        if number == 0:
            raise Invalid(f"{path} is empty.", field="source")


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")


def _framed(chunk: bytes) -> bytes:
    return struct.pack(">I", len(chunk)) + chunk


def _frame(reader: BinaryIO, path: str) -> bytes | None:
    head = reader.read(4)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    chunk = reader.read(length) if len(head) == 4 and TAG_BYTES <= length <= CHUNK + TAG_BYTES else b""
    if len(chunk) != length:
        raise Invalid(f"{path} is not encrypted as an export is.", field="source")
    return chunk
