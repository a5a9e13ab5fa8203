"""The keys that sign id_tokens: pending, active, retired (docs/decisions/0043).

A pending key is published before it signs, so that clients that cache our keys for a day know it in time. A retired key
stays published until all tokens signed with it have expired. The algorithm is RS256, which every client must support
(OpenID Connect Discovery section 3).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from vitrine.accounts import Actor
from vitrine.errors import Forbidden
from vitrine.oauth.tables import signing_keys
from vitrine.platform import audit
from vitrine.platform.crypto import Vault, random_base62
from vitrine.platform.database import Database, UnitOfWork

ALGORITHM = "RS256"
BITS = 2048
LONGEST_TOKEN = 8192
PUBLISHED_AFTER = timedelta(days=2)
_PUBLIC = ("kty", "n", "e", "kid", "alg", "use")


@dataclass(frozen=True, slots=True)
class _NewKey:
    kid: str
    public: dict[str, Any]
    sealed: str


@dataclass(frozen=True, slots=True)
class SigningKeys:
    database: Database
    vault: Vault

    def sign(self, claims: dict[str, Any]) -> str:
        """A signed JWT. Opens its own transactions; takes about a millisecond."""
        kid, private = self._active()
        from joserfc import jwt
        from joserfc.jwk import RSAKey

        key = RSAKey.import_key(private)
        return jwt.encode({"alg": ALGORITHM, "kid": kid, "typ": "JWT"}, claims, key, algorithms=[ALGORITHM])

    def claims(self, work: UnitOfWork, token: str) -> dict[str, Any] | None:
        """The claims of an id_token that a key of ours signed, even if it has expired; None for anything else. A
        retired key counts until the next rotation deletes it."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        publics = work.db.execute(sa.select(signing_keys.c.public)).scalars()
        try:
            decoded = jwt.decode(token, KeySet.import_key_set({"keys": list(publics)}), algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return decoded.claims if isinstance(decoded.claims, dict) else None

    def published(self) -> list[dict[str, Any]]:
        """The JWK Set of all published keys; the first call of an instance creates its keys."""
        self._active()
        with self.database.read() as work:
            shown = sa.or_(signing_keys.c.state != "retired", signing_keys.c.retired_at > work.now - PUBLISHED_AFTER)
            rows = work.db.execute(sa.select(signing_keys.c.public).where(shown).order_by(signing_keys.c.id))
            return [dict(row[0]) for row in rows]

    def rotate(self, actor: Actor) -> str:
        """Make the pending key active, retire the active one, publish a new one. For administrators only."""
        if not actor.is_admin:
            raise Forbidden("Only administrators may change the signing keys.")
        self._active()
        fresh = self._generate()
        with self.database.write() as work:
            work.db.execute(
                signing_keys.update()
                .where(signing_keys.c.state == "active")
                .values(state="retired", retired_at=work.now)
            )
            _, kid = self._first(work, "pending")
            work.db.execute(signing_keys.update().where(signing_keys.c.kid == kid).values(state="active"))
            self._add(work, fresh, "pending")
            long_gone = signing_keys.c.retired_at < work.now - PUBLISHED_AFTER
            work.db.execute(signing_keys.delete().where(signing_keys.c.state == "retired", long_gone))
            audit.write(work, actor, "signing_key.rotated", f"key {kid}")
        return kid

    def _active(self) -> tuple[str, dict[str, Any]]:
        with self.database.read() as work:
            active = self._first_or_none(work, "active")
        if active is None:
            # Generated outside the transaction, since it is slow and others would wait.
            first_key, next_one = self._generate(), self._generate()
            with self.database.write() as work:
                if self._first_or_none(work, "active") is None:  # another process may have been first
                    self._add(work, first_key, "active")
                    self._add(work, next_one, "pending")
                active = self._first(work, "active")
        sealed, kid = active
        private: dict[str, Any] = msgspec.json.decode(self.vault.decrypt(sealed))
        return kid, private

    def _generate(self) -> _NewKey:
        kid = random_base62(16)
        from joserfc.jwk import RSAKey

        key = RSAKey.generate_key(BITS, parameters={"kid": kid, "alg": ALGORITHM, "use": "sig"}, private=True)
        public = {name: value for name, value in key.as_dict(private=False).items() if name in _PUBLIC}
        return _NewKey(kid, public, self.vault.encrypt(msgspec.json.encode(key.as_dict(private=True)).decode()))

    @staticmethod
    def _add(work: UnitOfWork, key: _NewKey, state: str) -> None:
        work.db.execute(
            signing_keys.insert().values(
                kid=key.kid, state=state, public=key.public, sealed=key.sealed, created=work.now
            )
        )

    @staticmethod
    def _first_or_none(work: UnitOfWork, state: str) -> tuple[str, str] | None:
        row = work.db.execute(
            sa.select(signing_keys.c.sealed, signing_keys.c.kid)
            .where(signing_keys.c.state == state)
            .order_by(signing_keys.c.id)
        ).first()
        return None if row is None else (row[0], row[1])

    def _first(self, work: UnitOfWork, state: str) -> tuple[str, str]:
        row = self._first_or_none(work, state)
        assert row is not None
        return row
