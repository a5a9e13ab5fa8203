"""The second factor: codes of an authenticator app (RFC 6238) and recovery codes.

The secret of the app is stored encrypted, recovery codes as digests. The code of each step of 30 seconds works once.
Failed codes are locked out like failed sign-ins, with a counter of their own: the right password alone must not reset
it. The library is imported where it is used, since most sign-ins do not need it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vitrine.accounts import mfa_store as store
from vitrine.accounts.credential_revocation import Event
from vitrine.accounts.errors import WrongCode
from vitrine.accounts.model import Actor, OpenedBy, SignIn, User, UserId
from vitrine.accounts.service import Accounts
from vitrine.accounts.sessions import Sessions
from vitrine.errors import Conflict
from vitrine.platform import audit
from vitrine.platform.crypto import base64url, digest, same, signature
from vitrine.platform.database import UnitOfWork

STEP_S = 30
WINDOW = 1  # steps before and after now, for inaccurate clocks
CODES, CODE_LENGTH = 10, 15
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
PENDING_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Passkey:
    id: int
    name: str
    created: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class MfaOverview:
    """What the security page shows; *since* is None while no authenticator app is set up."""

    since: datetime | None
    codes_left: int
    passkeys: list[Passkey]


@dataclass(frozen=True, slots=True)
class MultiFactor:
    accounts: Accounts
    sessions: Sessions
    site: str

    # -- state ---------------------------------------------------------------------------------------------------

    def is_on(self, work: UnitOfWork, user_id: UserId) -> bool:
        """True if a password alone does not open the account: an app is confirmed, or there is a passkey."""
        return self.accounts.has_second_step(work, user_id)

    def has_app(self, work: UnitOfWork, user_id: UserId) -> bool:
        return store.confirmed(work, user_id) is not None

    def overview(self, work: UnitOfWork, actor: Actor) -> MfaOverview:
        user_id = actor.must_user_id
        factor = store.confirmed(work, user_id)
        return MfaOverview(
            factor.confirmed_at if factor else None, store.codes_left(work, user_id),
            [Passkey(*row) for row in store.passkeys(work, user_id)],
        )  # fmt: skip

    # -- authenticator app ---------------------------------------------------------------------------------------

    def begin(self, work: UnitOfWork, actor: Actor) -> str:
        """The `otpauth://` address of a new secret, to be confirmed by a first code. Raises RecentAuthRequired or
        Conflict."""
        self.sessions.require_recent_auth(work, actor)
        if store.confirmed(work, actor.must_user_id) is not None:
            raise Conflict("An authenticator app is set up already. Remove it first.")
        import pyotp

        secret = pyotp.random_base32()
        store.begin(work, actor.must_user_id, self.accounts.vault.encrypt(secret))
        return self._address(actor, secret)

    def unconfirmed_address(self, work: UnitOfWork, actor: Actor) -> str | None:
        """The same address again, until the first code is entered."""
        factor = store.factor(work, actor.must_user_id)
        if factor is None or factor.confirmed_at is not None:
            return None
        return self._address(actor, self.accounts.vault.decrypt(factor.sealed))

    def _address(self, actor: Actor, secret: str) -> str:
        import pyotp

        return pyotp.TOTP(secret).provisioning_uri(name=actor.login, issuer_name=self.site)

    def confirm(self, work: UnitOfWork, actor: Actor, code: str) -> list[str]:
        """Confirm the app by its first code. Returns the recovery codes, which are shown once."""
        self.sessions.require_recent_auth(work, actor)
        factor = store.factor(work, actor.must_user_id)
        if factor is None or factor.confirmed_at is not None:
            raise Conflict("Begin with the picture again: there is no app that waits for its first code.")
        step = self._step(work, factor, code)
        if step is None:
            raise WrongCode(
                "This code is not right. Look at the clock of your device, and take the newest code.", field="code"
            )
        store.confirm(work, actor.must_user_id, step)
        audit.write(work, actor, "second_factor.on", f"user {actor.user_id}")
        return self.new_recovery_codes(work, actor.must_user_id)

    def remove(self, work: UnitOfWork, actor: Actor) -> None:
        """Remove the app, and the recovery codes too unless a passkey still needs them."""
        self.sessions.require_recent_auth(work, actor)
        store.remove(work, actor.must_user_id)
        if not store.passkeys(work, actor.must_user_id):
            store.set_codes(work, actor.must_user_id, [])
        self.accounts.end_credentials(work, actor, Event.SECOND_FACTOR_REMOVED)
        audit.write(work, actor, "second_factor.off", f"user {actor.user_id}")

    def renew_codes(self, work: UnitOfWork, actor: Actor) -> list[str]:
        self.sessions.require_recent_auth(work, actor)
        if not self.is_on(work, actor.must_user_id):
            raise Conflict("Recovery codes belong to a second step. Set one up first.")
        audit.write(work, actor, "second_factor.codes", f"user {actor.user_id}")
        return self.new_recovery_codes(work, actor.must_user_id)

    def new_recovery_codes(self, work: UnitOfWork, user_id: UserId) -> list[str]:
        codes = ["".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
        store.set_codes(work, user_id, [digest(code) for code in codes])
        return ["-".join(code[at : at + 5] for at in range(0, CODE_LENGTH, 5)) for code in codes]

    # -- signing in ----------------------------------------------------------------------------------------------

    def pending(self, user: User, visitor: str, now: datetime, identity_id: int | None = None) -> str:
        """A signed proof that the first step succeeded, for the form of the second; bound to the visitor's browser.
        *identity_id* is the linked identity if the first step was at a provider, None if it was the password."""
        ends = round((now + PENDING_LIFETIME).timestamp())
        body = f"{user.id}.{ends}.{user.auth_version}.{identity_id or 0}"
        return f"{body}.{base64url(signature(self._key(), f'{body}.{visitor}'.encode()))}"

    def _key(self) -> bytes:
        return self.accounts.vault.derive("second step")

    def pending_user(self, work: UnitOfWork, pending: str, visitor: str) -> tuple[User, SignIn]:
        """The person who must still pass the second step, and the sign-in that it completes. Raises WrongCode if the
        first step is too old, was made in another browser, or was ended, such as by a new password."""
        body, _, proof = pending.rpartition(".")
        parts = body.split(".")
        right = same(proof, base64url(signature(self._key(), f"{body}.{visitor}".encode())))
        user = None
        if right and len(parts) == 4 and int(parts[1]) > work.now.timestamp():
            user = self.accounts.known(work, UserId(int(parts[0])))
        if user is None or user.mail_locked or user.auth_version != int(parts[2]):
            raise WrongCode("The first step of signing in is too long ago. Please begin again.", field="pending")
        identity_id = int(parts[3]) or None
        return user, SignIn(OpenedBy.PROVIDER if identity_id else OpenedBy.PASSWORD, identity_id, second_factor=True)

    def check(self, user: User, code: str, address: str) -> None:
        """Check a code of the app or a recovery code. Raises WrongCode or AccountLocked. Opens its own transaction."""
        counter = f"second step of user {user.id}"  # no login has spaces
        with self.accounts.database.write() as work:
            self.accounts.refuse_locked(work, counter, address, user.id)
            right = self._take(work, user.id, code)
            self.accounts.note_attempt(work, counter, address, right=right)
            if right:
                audit.write(work, None, "second_factor.used", f"user {user.id}", address=address)
        if not right:
            raise WrongCode("This code is not right, or it was used already.", field="code")

    def _take(self, work: UnitOfWork, user_id: UserId, code: str) -> bool:
        plain = "".join(character for character in code.lower() if character.isalnum())
        if len(plain) == CODE_LENGTH:
            return store.use_code(work, user_id, digest(plain))
        factor = store.confirmed(work, user_id)
        step = self._step(work, factor, plain) if factor is not None else None
        return step is not None and store.use_step(work, user_id, step)

    def _step(self, work: UnitOfWork, factor: Any, code: str) -> int | None:
        """The step of this code, if it is newer than the last step used."""
        if len(code.strip()) != 6 or not code.strip().isdecimal():
            return None
        import pyotp

        totp = pyotp.TOTP(self.accounts.vault.decrypt(factor.sealed))
        now = int(work.now.timestamp()) // STEP_S
        for step in range(now - WINDOW, now + WINDOW + 1):
            if (factor.last_step is None or step > factor.last_step) and same(totp.generate_otp(step), code.strip()):
                return step
        return None
