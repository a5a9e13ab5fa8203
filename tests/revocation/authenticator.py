"""A software authenticator: creates a passkey and signs in with it (WebAuthn level 2), for tests over HTTP."""

import hashlib
import json
import struct
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from vitrine.platform.crypto import base64url, from_base64url

_PRESENT_AND_VERIFIED, _WITH_KEY = 0x05, 0x40


class Authenticator:
    """One passkey of one site; *origin* is the site's address."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = hashlib.sha256(origin.encode()).digest()
        self._uses = 0

    def register(self, options: Any) -> str:
        """The browser's answer to the options of a new passkey, as JSON."""
        numbers = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        known = bytes(16) + struct.pack(">H", len(self._id)) + self._id + cbor2.dumps(key)
        told = self._told(_PRESENT_AND_VERIFIED | _WITH_KEY) + known
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": told})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer(attestationObject=base64url(attestation), clientDataJSON=base64url(client))

    def sign_in(self, options: Any) -> str:
        """The browser's answer to the options of a sign-in, as JSON."""
        self._uses += 1
        told = self._told(_PRESENT_AND_VERIFIED)
        client = self._client("webauthn.get", options["challenge"])
        proof = self._key.sign(told + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            authenticatorData=base64url(told), clientDataJSON=base64url(client), signature=base64url(proof)
        )

    def _told(self, flags: int) -> bytes:
        host = (urlsplit(self._origin).hostname or "").encode()
        return hashlib.sha256(host).digest() + bytes([flags]) + struct.pack(">I", self._uses)

    def _client(self, kind: str, challenge: str) -> bytes:
        assert from_base64url(challenge)
        return json.dumps({"type": kind, "challenge": challenge, "origin": self._origin}).encode()

    def _answer(self, **response: str) -> str:
        name = base64url(self._id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
