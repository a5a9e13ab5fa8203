"""The one reader of JSON that others wrote. Both libraries that read JSON fail in several ways, one of which is no
ValueError: a text that is nested too deeply ends in RecursionError."""

from typing import Any

import msgspec


class NotJson(ValueError):
    """Not JSON, not UTF-8, nested too deeply, or not of the expected type."""


def parse(text: bytes | str, kind: Any = Any) -> Any:
    """The value in *text*, of the type *kind* (RFC 8259). Raises NotJson."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as failure:  # DecodeError and UnicodeDecodeError are ValueErrors
        raise NotJson(str(failure)) from failure
