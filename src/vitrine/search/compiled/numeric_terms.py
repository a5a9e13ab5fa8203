"""Numbers as terms, so that a range is a set of terms: in a text field any number of named numbers has a place, and a
new one needs no new schema.

A number becomes 64 bits in its order, and eight terms: its first byte, its first two bytes, and so on. A range is
covered by the fewest prefixes, at most 255 for each byte on either side.
"""

import struct
from collections.abc import Iterator

_BYTES = 8
_HIGHEST = 2**64 - 1
_SIGN = 2**63


def ordered_bits(value: float) -> int:
    """*value* as an unsigned number of 64 bits, in the same order; -0.0 is 0.0."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", value + 0.0))
    return int(bits ^ _HIGHEST if bits & _SIGN else bits | _SIGN)


def terms_of(name: str, value: float) -> list[str]:
    """The terms under which the number *name* of a record is indexed."""
    digits = f"{ordered_bits(value):016x}"
    return [f"{name}|{digits[: 2 * length]}" for length in range(1, _BYTES + 1)]


def range_terms(name: str, low: int | None, high: int | None) -> Iterator[str]:
    """The terms of which a number of *name* has exactly one if its bits lie in the range, both ends included, and none
    if not. None is no bound."""
    low, high = 0 if low is None else low, _HIGHEST if high is None else high
    for shift in range(0, 8 * _BYTES, 8):
        digits = 16 - shift // 4
        top = shift == 8 * (_BYTES - 1)
        while low <= high and (top or low & 0xFF):
            yield f"{name}|{low:0{digits}x}"
            low += 1
        while low <= high and high & 0xFF != 0xFF:
            yield f"{name}|{high:0{digits}x}"
            high -= 1
        if low > high:
            return  # before the shift, which could make them equal
        low, high = low >> 8, high >> 8
