"""The texts of an application that people read, and their faults."""

import re
from collections.abc import Mapping

from vitrine.applications.checks import Draft, bad_url, check
from vitrine.platform.texts import fault_of_name

TEXTS = ("name", "description", "website", "publisher", "privacy_url", "terms_url", "contact")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check_texts(wanted: Mapping[str, str]) -> dict[str, str]:
    """Faults of the texts of an application, by field."""
    faults = check(Draft(wanted["name"], wanted["description"], wanted["website"], "web"), returns=False)
    publisher = wanted["publisher"].strip()
    if len(publisher) > 128:
        faults["publisher"] = "A publisher's name has at most 128 characters."
    elif publisher and (unreadable := fault_of_name(publisher)):
        faults["publisher"] = unreadable
    for name in ("privacy_url", "terms_url"):
        fault = bad_url(wanted[name]) if wanted[name] else None
        if fault:
            faults[name] = fault
    contact = wanted["contact"]
    if contact and (len(contact) > 254 or not _EMAIL.fullmatch(contact)):
        faults["contact"] = "This is not an e-mail address."
    return faults
