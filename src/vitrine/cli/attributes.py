"""Attributes on the command line: `name=value` pairs, as many as one likes."""

import json
from typing import Any

from vitrine.errors import Invalid


def parsed(pairs: tuple[str, ...]) -> dict[str, Any]:
    """`required=true`, `type=date`, `labels.fr=Titre`: a value that is JSON is read as such, any other is text. Raises
    Invalid for a pair without `=`, and for a name that comes twice."""
    attributes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise Invalid(f"Write attributes as name=value; {pair} is not.", field="attributes")
        outer, dot, inner = name.partition(".")
        inside = attributes.setdefault(outer, {}) if dot else attributes
        key = inner if dot else name
        if not isinstance(inside, dict) or key in inside:
            raise Invalid(f"{name} is given twice.", field="attributes")
        inside[key] = text if dot else _value(text)
    return attributes


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
