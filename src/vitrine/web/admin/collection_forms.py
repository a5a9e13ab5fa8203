"""Between the forms of a collection and what the services take: pure functions.

A line of a stamp is text with names in braces: `{Title}` is a field of the record, `{DATE}` and `{RECORD_ID}` are what
they say. The checks are named as contract 06 section 15 names them, an option as `Check.option`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from vitrine.edge.params import Params
from vitrine.errors import Invalid
from vitrine.library.overlays.stamps import LONGEST_LINE
from vitrine.library.quarantine.checks import CHECKS, COLOURS, KINDS

VARS = ("DATE", "RECORD_ID")
PLACES = ("TOP", "TOP-OVER", "BOTTOM-OVER", "BOTTOM")
KEEP = "keep"  # a stamp of several bars, which this form cannot show
CHOICES: Mapping[str, tuple[str, ...]] = {"media_types": tuple(KINDS), "colorspaces": COLOURS}
FLAGS = ("on", "sensitive")
MOST_LINES = 6
_NAMED = re.compile(r"\{([^{}]+)\}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def stamp_fields(stamp: Mapping[str, Any] | None) -> dict[str, str]:
    """What the form shows of a stamp; `place` is empty without one and KEEP for one of several bars."""
    blocks = stamp["blocks"] if stamp else []
    block = blocks[0] if len(blocks) == 1 else {}
    return {
        "place": KEEP if len(blocks) > 1 else block.get("place", ""),
        "align": block.get("align", "left"),
        "background": block.get("background", "#ffffff"),
        "colour": block.get("colour", "#1d1e20"),
        "logo": block.get("logo") or "",
        "lines": "\n".join("".join(_written(part) for part in line) for line in block.get("lines", [])),
    }


def _written(part: Any) -> str:
    return part if isinstance(part, str) else f"{{{part.get('field') or part.get('var')}}}"


def stamp_of(given: Mapping[str, str], logo: str | None) -> dict[str, Any] | None:
    """The definition that a form asks for; None forgets the stamp. Raises Invalid (field `stamp`)."""
    place = given.get("place", "")
    if not place:
        return None
    if place not in PLACES:
        raise Invalid("Choose where the stamp stands.", field="stamp")
    colours = {name: given.get(name, "") for name in ("background", "colour")}
    if not all(_COLOUR.fullmatch(colour) for colour in colours.values()):
        raise Invalid("A colour is # and six digits, as in #ffffff.", field="stamp")
    lines = [line.strip() for line in given.get("lines", "").splitlines() if line.strip()]
    if len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines):
        raise Invalid("A stamp has at most {lines} lines.", field="stamp", values={"lines": MOST_LINES})
    if not lines and not logo:
        raise Invalid("Give the stamp a line or a logo.", field="stamp")
    align = given.get("align") if given.get("align") in ("left", "centre", "right") else "left"
    block = {"place": place, "align": align, **colours, "lines": [_parts(line) for line in lines]}
    return {"blocks": [{**block, "logo": logo} if logo else block]}


def _parts(line: str) -> list[Any]:
    parts: list[Any] = []
    for number, text in enumerate(_NAMED.split(line)):
        if number % 2:
            parts.append({"var": text} if text in VARS else {"field": text})
        elif text:
            parts.append(text)
    return parts


def unknown_fields(stamp: Mapping[str, Any] | None, public: Iterable[str]) -> list[str]:
    """Names in braces that are no public field."""
    known = set(public)
    parts = [part for block in (stamp or {"blocks": []})["blocks"] for line in block["lines"] for part in line]
    return [
        part["field"] for part in parts if isinstance(part, dict) and "field" in part and part["field"] not in known
    ]


def check_fields(policy: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the form shows of a policy, by `Check.option`: flags and lists as they are, the rest as text."""
    shown: dict[str, Any] = {}
    for check, options in policy.items():
        for option, value in options.items():
            if option in FLAGS or option in CHOICES:
                shown[f"{check}.{option}"] = value
            elif isinstance(value, list):
                shown[f"{check}.{option}"] = ", ".join(str(item) for item in value)
            else:
                shown[f"{check}.{option}"] = "" if value is None else str(value)
    return shown


def given_checks(params: Params) -> dict[str, Any]:
    """The same from what was posted, so that a form with a fault shows what was typed."""
    given: dict[str, Any] = {}
    for check, definition in CHECKS.items():
        for option in definition.defaults:
            name = f"{check}.{option}"
            if option in FLAGS:
                given[name] = params.text(name) == "1"
            elif option in CHOICES:
                given[name] = [value for value in CHOICES[option] if value in params.values(name)]
            else:
                given[name] = (params.text(name) or "").strip()
    return given


def policy_of(given: Mapping[str, Any], bases: Iterable[int]) -> dict[str, dict[str, Any]]:
    """A whole policy: every option of every check. Raises Invalid whose field is `Check.option`."""
    known = set(bases)
    return {
        check: {option: _option(f"{check}.{option}", option, given, known) for option in definition.defaults}
        for check, definition in CHECKS.items()
    }


def _option(name: str, option: str, given: Mapping[str, Any], bases: set[int]) -> Any:
    value = given[name]
    if option in FLAGS or option in CHOICES:
        return value
    if option in ("width", "height"):
        if option == "height" and not value:
            return None
        if not re.fullmatch(r"[1-9]\d{0,5}", value):
            raise Invalid("Give a number of pixels.", field=name)
        return int(value)
    words = [word for word in re.split(r"[\s,;]+", value) if word]
    if option != "ignored":
        return [word.lstrip(".").lower() for word in words]
    unknown = [word for word in words if not word.isdecimal() or len(word) > 9 or int(word) not in bases]
    if unknown:
        raise Invalid("There is no collection with the base_id {base}.", field=name, values={"base": unknown[0]})
    return [int(word) for word in words]
