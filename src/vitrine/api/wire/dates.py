"""Dates as the wire writes them: `YYYY-MM-DDTHH:MM:SS±HH:MM`, never `Z`, no fraction (contract 02)."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=65_536)
def atom(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return local.isoformat(timespec="seconds")


def atom_or_none(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return None if instant is None else atom(instant, zone)
