"""The test vectors of crypt_blowfish (Openwall), from which PHP's bcrypt comes, and what PHP did beyond them."""

import pytest

from vitrine.accounts.bcrypt import is_bcrypt, verify
from vitrine.accounts.passwords import Passwords

SALT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC."
SHORT = f"{SALT}E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
DIGITS, LOWER, UPPER = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONGEST = f"{DIGITS}{LOWER}{UPPER}{DIGITS}"
LONG = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
# Made by PHP 8.2: crypt(str_repeat("é", 36), ...) and the same with an "x" before it.
EVEN = "$2y$04$abcdefghijklmnopqrstuuKiIlCeXB6chNXkLyAo8C7XcLPzh6zUe"
ODD = "$2y$04$abcdefghijklmnopqrstuunt1F6iRePqdLv.sStq15vGl7/EUVfPO"


@pytest.mark.parametrize(
    ("hashed", "password"),
    [
        (SHORT, "U*U"),
        (f"{SALT}VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
        ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"),
        (f"{SALT}7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", ""),
        (LONG, f"{LONGEST}chars after 72 are ignored"),
        (LONG, LONGEST),
    ],
)
@pytest.mark.parametrize("version", ["2a", "2b", "2x", "2y"])
def test_a_vector_verifies_in_every_version(version: str, hashed: str, password: str) -> None:
    hashed = hashed.replace("$2a$", f"${version}$", 1)
    assert is_bcrypt(hashed)
    assert verify(hashed, password)
    assert not verify(hashed, f"V{password}")


@pytest.mark.parametrize(
    ("hashed", "password"),
    [
        (SHORT, "U*V"),
        (SHORT, "U*U\x00"),
        (SHORT, "U*U\x00x"),
        (LONG, f"{LONGEST[:71]}-"),
        (SHORT[:-1], "U*U"),
        (f"{SHORT}x", "U*U"),
        (SHORT.replace("$05$", "$03$"), "U*U"),
        (SHORT.replace("$05$", "$17$"), "U*U"),
        (SHORT.replace("CC.E5", "CCCE5"), "U*U"),
        ("$6$salt$hash", "U*U"),
        ("", ""),
    ],
)
def test_what_does_not_belong_is_refused(hashed: str, password: str) -> None:
    assert not verify(hashed, password)


def test_a_character_that_is_cut_at_byte_72_is_cut_as_php_did() -> None:
    password = "é" * 36  # 72 bytes
    assert verify(EVEN, password)
    assert verify(EVEN, f"{password}é")
    assert verify(ODD, f"x{password}")
    assert verify(ODD, f"x{'é' * 35}è"), "é and è differ in their second byte only, which is the 73rd"
    assert not verify(ODD, f"x{'é' * 34}èé")


def test_a_hash_that_is_only_checked_is_hashed_anew() -> None:
    passwords = Passwords(memory_kib=64, passes=1)
    assert passwords.can_check(SHORT)
    assert passwords.verify(SHORT, "U*U")
    assert not passwords.verify(SHORT, "U*V")
    assert passwords.needs_rehash(SHORT, "U*U")
    assert not passwords.needs_rehash(passwords.rehashed("U*U"), "U*U")
