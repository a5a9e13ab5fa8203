"""The form of a new application, and its faults: a sentence by field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from vitrine.applications.profiles import TABLE, Cell, Profile, Switch
from vitrine.platform.texts import fault_of_name

LONGEST_NAME = 128
LONGEST_DESCRIPTION = 2000
LONGEST_CREDENTIAL = 128
LIST_SHAPES = ("automatic", "lists", "objects")
LONGEST_URL = 2000
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:.]+")  # without brackets, as urlsplit gives it


@dataclass(frozen=True, slots=True)
class Draft:
    """The form of a new application, as a person filled it in."""

    name: str
    description: str
    website: str
    type: str
    callback: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """An application that already exists elsewhere. *switches* are the owner's choices of design 5.3."""

    draft: Draft
    client_id: str
    client_secret: str | None
    profile: Profile
    switches: Mapping[Switch, bool] = field(default_factory=dict)
    activated: bool = True
    list_shapes: str = "automatic"


def check_credentials(imported: Imported) -> dict[str, str]:
    """Faults of an imported application's credentials, switches and profile (design 5.5: up to 128 printable
    characters)."""
    faults: dict[str, str] = {}
    for name in ("client_id", "client_secret"):
        value = getattr(imported, name)
        if value is not None and not (0 < len(value) <= LONGEST_CREDENTIAL and value.isprintable()):
            faults[name] = f"{name} must have 1 to {LONGEST_CREDENTIAL} printable characters."
    for switch in imported.switches:
        if TABLE[switch][imported.profile] not in (Cell.ON, Cell.OFF):
            faults[switch.value] = f"The profile {imported.profile.value} leaves no choice about {switch.value}."
    if imported.list_shapes not in LIST_SHAPES:
        faults["list_shapes"] = f"list_shapes must be one of {', '.join(LIST_SHAPES)}."
    desktop = imported.draft.type == "desktop"
    if desktop != (imported.profile is Profile.DESKTOP):
        faults["profile"] = "The profile desktop is for the type desktop, the others are for the type web."
    return faults


_NO_WEBSITE = "Enter the website of your application, beginning with https://."


def check(draft: Draft, *, returns: bool = True) -> dict[str, str]:
    """Every fault of the form by field, in words for the person who fills it in. Without *returns* the callback is not
    checked."""
    faults: dict[str, str] = {}
    if not draft.name.strip():
        faults["name"] = "Give your application a name."
    elif len(draft.name.strip()) > LONGEST_NAME:
        faults["name"] = "A name has at most 128 characters."
    elif fault := fault_of_name(draft.name.strip()):
        faults["name"] = fault
    if not draft.description.strip():
        faults["description"] = "Say in a sentence what your application does. People read it before they sign in."
    elif len(draft.description.strip()) > LONGEST_DESCRIPTION:
        faults["description"] = "A description has at most 2000 characters."
    elif fault := fault_of_name(draft.description, has_lines=True):
        faults["description"] = fault
    website = bad_url(draft.website) if draft.website.strip() else _NO_WEBSITE
    if website:
        faults["website"] = website
    if returns and draft.type != "desktop":
        callback = bad_callback(draft.callback)
        if callback:
            faults["callback"] = callback
    return faults


def bad_url(text: str) -> str | None:
    """What is wrong with a web address, as a sentence; None if it can be used."""
    url = text.strip()
    if not url:
        return "Enter a whole web address, beginning with https://."
    if len(url) > LONGEST_URL or _CONTROL.search(url):
        return "This address is too long or has spaces or control characters in it."
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "This is not a web address."
    if parts.scheme not in ("http", "https") or not host:
        return "This must be a whole web address, beginning with https://."
    if parts.username is not None or parts.password is not None:
        return "The address must not contain a login or a password."
    return None


def bad_callback(text: str) -> str | None:
    """The same for a callback URL, whose host must be ASCII since it is written into headers."""
    if not text.strip():
        return "Enter a callback URL, beginning with https://."
    fault = bad_url(text)
    if fault:
        return fault
    parts = urlsplit(text.strip())
    if parts.fragment:
        return "A callback URL cannot have a part after #."
    if not _HOST.fullmatch(parts.hostname or ""):
        return "Write the host name with letters, digits, dots and hyphens; an international name in its xn-- form."
    return None
