"""Checking bcrypt hashes that come from elsewhere, by the system's own libcrypt. Nothing here makes new ones.

A dependency would only serve people on the day they first sign in after a move. The C function keeps its answer in one
static buffer, hence the lock.
"""

import ctypes
import ctypes.util
import re
import threading
from functools import cache

from vitrine.platform.crypto import same

FORM = re.compile(r"\$2[abxy]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")
LONGEST = 72  # bytes; what comes after them bcrypt never looks at
_lock = threading.Lock()


@cache
def _crypt() -> "ctypes._FuncPointer | None":
    name = ctypes.util.find_library("crypt")
    try:
        found = ctypes.CDLL(name).crypt if name else None
    except (OSError, AttributeError):
        return None
    if found is not None:
        found.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        found.restype = ctypes.c_char_p
    return found


def is_bcrypt(hashed: str) -> bool:
    return FORM.fullmatch(hashed) is not None


@cache
def is_supported() -> bool:
    """True if this system's libcrypt knows bcrypt (Debian's and most others do)."""
    return _hashed(b"vitrine", "$2b$04$" + "." * 22) is not None


def verify(hashed: str, password: str) -> bool:
    """True if *password* belongs to *hashed*; False too where the system cannot say."""
    if not is_bcrypt(hashed) or "\x00" in password:
        return False
    made = _hashed(password.encode(), hashed)
    return made is not None and same(made, hashed)


def _hashed(password: bytes, setting: str) -> str | None:
    crypt = _crypt()
    if crypt is None:
        return None
    with _lock:
        made = crypt(password, setting.encode())
    return made.decode() if made is not None and made.startswith(b"$2") else None
