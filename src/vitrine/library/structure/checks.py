"""Checks that all parts of the structure share: names, labels, revisions, and unknown attributes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from vitrine.errors import Invalid
from vitrine.library.errors import ChangedMeanwhile
from vitrine.library.model import LANGUAGES
from vitrine.platform.texts import fault_of_name

LONGEST_LABEL = 128
_NAME = re.compile(r"[^\x00-\x1f/\\]{1,64}")


NAME_OF_DATABOX = "A databox needs a name of at most 64 characters, without slashes."
NAME_OF_COLLECTION = "A collection needs a name of at most 64 characters, without slashes."


def name_of(text: object, refusal: str, *, field: str = "name") -> str:
    """The name of a databox or collection: 1 to 64 characters on one line, without slashes. Raises Invalid."""
    name = text.strip() if isinstance(text, str) else ""
    if not _NAME.fullmatch(name):
        raise Invalid(refusal, field=field)
    if fault := fault_of_name(name):
        raise Invalid(fault, field=field)
    return name


def labels_of(given: object, before: Mapping[str, Any] | None = None, *, field: str = "labels") -> dict[str, Any]:
    """Labels in the four languages: those given replace the former ones, empty or null removes one. Raises Invalid."""
    labels = {language: (before or {}).get(language) for language in LANGUAGES}
    if given is None:
        return labels
    if not isinstance(given, Mapping):
        raise Invalid("Labels are an object with the keys fr, en, de and nl.", field=field)
    for language, text in given.items():
        if language not in LANGUAGES:
            raise Invalid(f"Labels are in fr, en, de and nl; {str(language)[:20]} is none of them.", field=field)
        labels[language] = label_of(text, field=field) or None
    return labels


def label_of(text: object, *, field: str) -> str:
    """One label; empty for none. Raises Invalid."""
    if text is None:
        return ""
    if not isinstance(text, str) or len(text) > LONGEST_LABEL:
        raise Invalid(f"A label is a text of at most {LONGEST_LABEL} characters.", field=field)
    label = text.strip()
    if label and (fault := fault_of_name(label)):
        raise Invalid(fault, field=field)
    return label


def boolean(value: object, *, field: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{field} is true or false.", field=field)
    return value


def whole_number(value: object, least: int, most: int, *, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Invalid(f"{field} is a whole number from {least} to {most}.", field=field)
    return value


def one_of(value: object, choices: Iterable[str], *, field: str) -> str:
    allowed = list(choices)
    if not isinstance(value, str) or value not in allowed:
        raise Invalid(f"{field} is one of {', '.join(allowed)}.", field=field)
    return value


def known_only(given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raises Invalid for an attribute that does not exist, since a mistyped one would change nothing without a word."""
    allowed = set(known)
    for name in given:
        if name not in allowed:
            raise Invalid(f"There is no attribute called {str(name)[:80]} here.", field=str(name)[:80])


def require_revision(revision: int, expected: int | None) -> None:
    """Raises ChangedMeanwhile unless *expected* is the revision that is stored, or None for whatever is there."""
    if expected is not None and expected != revision:
        raise ChangedMeanwhile("It was changed since you looked. Look at it again and repeat your change.")


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What *after* holds that *before* does not, on both sides."""
    changed = [name for name, value in after.items() if before.get(name) != value]
    return {name: before.get(name) for name in changed}, {name: after[name] for name in changed}


def in_order(given: object, known: Iterable[int]) -> list[int]:
    """A whole order: each of *known* once. Raises Invalid."""
    wanted = list(known)
    ids = list(given) if isinstance(given, list | tuple) else []
    if any(isinstance(number, bool) or not isinstance(number, int) for number in ids) or sorted(ids) != sorted(wanted):
        raise Invalid("Give the ids of all of them, each once, in the new order.", field="order")
    return ids
