"""Which form an answer takes: JSON, YAML or JSONP, and whether records are extended (contract 02 section 2)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

JSON, YAML, TEXT_YAML = "application/json", "application/yaml", "text/yaml"
SCRIPTS = ("text/javascript", "application/javascript")
_EXTENDED = "application/vnd.phraseanet.record-extended+"
EXTENDED_JSON, EXTENDED_YAML, EXTENDED_JSONP = (_EXTENDED + syntax for syntax in ("json", "yaml", "jsonp"))
# The server's own order, which decides between types that are equally welcome.
SERVED = (JSON, YAML, TEXT_YAML, *SCRIPTS, EXTENDED_JSON, EXTENDED_YAML, EXTENDED_JSONP)


@dataclass(frozen=True, slots=True)
class Form:
    """*is_served* False is a 406. *is_script* marks callers who want JavaScript and get JSON with a status of 200."""

    is_yaml: bool = False
    is_extended: bool = False
    is_script: bool = False
    is_served: bool = True


PLAIN = Form()


@lru_cache(maxsize=1024)
def form_of(accept: str) -> Form:
    """The form that an `Accept` header asks for; cached, since clients send the same one with every call.

    The body is JSON whenever JSON is listed, YAML when only YAML is, whatever their weights; everything else goes by
    the best of what is served: weight first, then the server's order.
    """
    ranges = _ranges(accept)
    if not ranges:
        return PLAIN if not accept.strip() else Form(is_served=False)
    best, weight = "", 0.0
    for served in SERVED:
        welcome = _weight(served, ranges)
        if welcome > weight:
            best, weight = served, welcome
    if not best:
        return Form(is_served=False)
    listed = {name for name, welcome in ranges.items() if welcome > 0}
    is_yaml = JSON not in listed and (bool({YAML, TEXT_YAML} & listed) or best == EXTENDED_YAML)
    return Form(is_yaml, best.startswith(_EXTENDED), best in SCRIPTS)


def _ranges(accept: str) -> dict[str, float]:
    """Media ranges and their weights (RFC 9110 section 12.5.1). A weight that is not a number counts as 1."""
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        name, _, parameters = part.partition(";")
        weight = 1.0
        for parameter in parameters.split(";"):
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 1.0
        if "/" in name:
            ranges[name.strip().lower()] = weight
    return ranges


def _weight(served: str, ranges: dict[str, float]) -> float:
    """The weight of *served*: the most specific range decides."""
    family = served.partition("/")[0] + "/*"
    return next((ranges[name] for name in (served, family, "*/*") if name in ranges), 0.0)


def as_yaml(json: bytes) -> bytes:
    """An encoded answer as YAML in block style, keys in the contract's order."""
    import yaml

    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(
        msgspec.json.decode(json), Dumper=dumper, default_flow_style=False, sort_keys=False, allow_unicode=True
    )
    return text.encode()
