"""Checks of the texts of feeds and entries."""

from vitrine.accounts.service import checked_email
from vitrine.errors import Invalid
from vitrine.feeds.tables import LONGEST_SUBTITLE, LONGEST_TITLE
from vitrine.platform.texts import fault_of_name


def title_of(text: str, field: str = "title") -> str:
    """Raises Invalid for an empty or too long title, or one that cannot be read."""
    title = text.strip()
    if not 0 < len(title) <= LONGEST_TITLE:
        raise Invalid("This has 1 to {most} characters.", field=field, values={"most": LONGEST_TITLE})
    if fault := fault_of_name(title):
        raise Invalid(fault, field=field)
    return title


def subtitle_of(text: str | None) -> str:
    """May have several lines or be empty. Raises Invalid."""
    subtitle = (text or "").strip()
    if len(subtitle) > LONGEST_SUBTITLE:
        raise Invalid("A subtitle has at most {most} characters.", field="subtitle", values={"most": LONGEST_SUBTITLE})
    if subtitle and (fault := fault_of_name(subtitle, has_lines=True)):
        raise Invalid(fault, field="subtitle")
    return subtitle


def author_of(name: str) -> str:
    return title_of(name, "author_name") if name.strip() else ""


def author_email_of(address: str) -> str:
    """Empty for none. Raises Invalid."""
    if not address.strip():
        return ""
    try:
        return checked_email(address)
    except Invalid as refusal:
        raise Invalid(refusal.detail, field="author_email") from refusal
