"""Verifies imported bcrypt hashes as PHP's `password_verify` did. It creates no new ones."""

import re

import bcrypt

FORM = re.compile(r"\$2[abxy]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")
LONGEST = 72  # bytes; PHP hashed the first 72 of a longer password, the library refuses them


def is_bcrypt(hashed: str) -> bool:
    return FORM.fullmatch(hashed) is not None


def verify(hashed: str, password: str) -> bool:
    """True if *password* matches *hashed*. One with a NUL never does: PHP compared only the part before it."""
    if not is_bcrypt(hashed) or "\x00" in password:
        return False
    try:
        return bcrypt.checkpw(password.encode()[:LONGEST], hashed.encode())
    except ValueError:  # well formed, but the last character of the salt has bits that no salt has
        return False
