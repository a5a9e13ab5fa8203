"""Password hashing: argon2id with 2 passes over 19 MiB. Few hashes run at once, so a burst cannot use up the memory.

New hashes are made of the OpaqueString form (RFC 8265). A password is also tried as it was typed, since older hashes
were made of that, and hashed anew if only that is right.
"""

import threading

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from vitrine.accounts import bcrypt
from vitrine.accounts.errors import WeakPassword
from vitrine.accounts.precis import LONGEST_PASSWORD, is_password, mapped_password

MINIMUM_LENGTH = 8
MAXIMUM_LENGTH = 1024
LONGEST_HASH = 255


class Passwords:
    """Hash and verify. Thread-safe; at most *at_once* hashes run together, the others wait."""

    def __init__(self, *, at_once: int = 2, memory_kib: int = 19 * 1024, passes: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._slots = threading.BoundedSemaphore(at_once)
        # Verified when there is no account, so that the answer takes as long.
        self._decoy = self._hasher.hash("no account has this password")

    def hash(self, password: str) -> str:
        """Raises WeakPassword when the password is shorter than MINIMUM_LENGTH or longer than MAXIMUM_LENGTH, or has
        control characters."""
        if len(password) > LONGEST_PASSWORD:
            raise _too_long()
        if not is_password(password):
            raise WeakPassword("Choose a password without control characters, such as tabs.", field="password")
        password = mapped_password(password)
        if len(password) < MINIMUM_LENGTH:
            raise WeakPassword(
                "Choose a password of at least {count} characters.", field="password", values={"count": MINIMUM_LENGTH}
            )
        if len(password) > MAXIMUM_LENGTH:
            raise _too_long()
        with self._slots:
            return self._hasher.hash(password)

    def verify(self, hashed: str | None, password: str) -> bool:
        """True if *password* matches *hashed*, in its form or as it was typed. Takes the same time if there is no
        hash."""
        spellings = dict.fromkeys((_form(password), password[:MAXIMUM_LENGTH]))
        # All of them are tried, so that the time does not tell which one was right.
        return True in [self._matches(hashed, spelling) for spelling in spellings]

    def _matches(self, hashed: str | None, password: str) -> bool:
        with self._slots:
            if hashed is not None and bcrypt.is_bcrypt(hashed):
                return bcrypt.verify(hashed, password)
            try:
                self._hasher.verify(hashed or self._decoy, password)
            except (VerificationError, InvalidHashError):
                return False
        return hashed is not None

    @staticmethod
    def can_check(hashed: str) -> bool:
        """True for a hash made elsewhere that this server can check: argon2 in its usual form, or bcrypt."""
        if bcrypt.is_bcrypt(hashed):
            return True
        try:
            extract_parameters(hashed)
        except InvalidHashError:
            return False
        return len(hashed) <= LONGEST_HASH

    def rehashed(self, password: str) -> str:
        """A new hash of a password that was just verified, even if it would be refused as a new password."""
        with self._slots:
            return self._hasher.hash(_form(password))

    def needs_rehash(self, hashed: str, password: str) -> bool:
        """True for an old kind of hash, and for one of *password* as it was typed, which was just verified."""
        if bcrypt.is_bcrypt(hashed) or self._hasher.check_needs_rehash(hashed):
            return True
        form = _form(password)
        return form != password and not self._matches(hashed, form)


def _form(password: str) -> str:
    """The form that is hashed; longer ones count by their beginning, as `hash` lets nobody choose them."""
    return mapped_password(password)[:MAXIMUM_LENGTH]


def _too_long() -> WeakPassword:
    return WeakPassword(
        "Choose a password of at most {count} characters.", field="password", values={"count": MAXIMUM_LENGTH}
    )
