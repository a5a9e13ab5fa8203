"""The arithmetic of the benchmarks: measured milliseconds in, lines with ratio and bar out.

Machines differ by a factor of two or three, so a bar in milliseconds holds for the machine and day on which the bars
were set. It is scaled by what bare Starlette needs for its look-up in this run, against what it needed then. Rivals
that did not run have no line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

BARE_MS = 0.0535  # bare Starlette's look-up in the run in which the bars were set
BARE = "bare Starlette"
IN_MEMORY, ON_SQLITE, TOOLKIT = "node-oidc-provider", "node-oidc-provider on SQLite", "Django toolkit"

# (line, target measured, rival, how many times as fast we are to be)
RIVALS = (
    ("small bearer JSON", "me", BARE, 0.5),
    ("small bearer JSON", "me", TOOLKIT, 10),
    ("25 plain records", "25 records", "Directus", 6),
    ("25 plain records", "25 records", "Directus, cache", 2.5),
    ("20 kB thumbnail", "thumbnail", "bare body", 0.5),
    ("token", "token", f"{IN_MEMORY}, token", 0.7),
    ("token", "token", f"{ON_SQLITE}, token", 1.2),
    ("token", "token", f"{TOOLKIT}, token", 7),
    ("introspection", "introspection", f"{IN_MEMORY}, introspection", 1),
    ("introspection", "introspection", f"{ON_SQLITE}, introspection", 1),
    ("introspection", "introspection", f"{TOOLKIT}, introspection", 14),
    ("bad checksum", "bad checksum", "me", 1.5),
)
# (line, target measured, most milliseconds where bare Starlette needs BARE_MS)
LIMITS = (
    ("25 plain records", "25 records", 0.7),
    ("25 extended records", "25 extended", 1.5),
    ("basket of 50", "basket of 50", 1.5),
    ("story of 50", "story of 50", 1.5),
    ("feed of 20 x 3", "feed of 20 x 3", 1.5),
    ("token", "token", 0.4),
    ("token, code", "token, code", 0.4),
    ("token, refresh", "token, refresh", 0.4),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result; *bar* is in words, *ok* whether it was met."""

    name: str
    value: float
    unit: str
    ratio: float
    against: str
    bar: str
    ok: bool

    def __str__(self) -> str:
        mark = "ok    " if self.ok else "MISSED"
        figures = f"{self.value:9.3f} {self.unit:<10} {self.ratio:6.2f} ×"
        return f"{mark} {self.name:<26} {figures} {self.against:<44} bar {self.bar}"


def request_rows(ms: Mapping[str, float]) -> list[Row]:
    """*ms* is the processor time of one request by target. Lines of targets that were not measured are left out."""
    return [*_against_rivals(ms), *_within_limits(ms)]


def _against_rivals(ms: Mapping[str, float]) -> Iterator[Row]:
    for name, target, rival, least in RIVALS:
        if target in ms and rival in ms:
            ratio = ms[rival] / ms[target]
            yield Row(name, ms[target], "ms CPU", ratio, rival, f"≥ {least:g} ×", ratio >= least)


def _within_limits(ms: Mapping[str, float]) -> Iterator[Row]:
    scale = ms[BARE] / BARE_MS
    for name, target, most in LIMITS:
        if target in ms:
            scaled = most * scale
            bar = f"≤ {most:g} ms, scaled ≤ {scaled:.3f} ms"
            yield Row(name, ms[target], "ms CPU", scaled / ms[target], "the scaled bar", bar, ms[target] <= scaled)


def rendition_row(ours: float, bare: float) -> Row:
    ratio = ours / bare
    return Row("three renditions, 24 MP", ours, "ms CPU", ratio, "bare libvips", "≤ 1.15 ×", ratio <= 1.15)


def memory_rows(mib: Mapping[str, float], huge_gb: float) -> list[Row]:
    limits = (
        ("memory at rest", "idle", "MiB", 120, "< 120 MB"),
        ("ten of 24 MP at once", "at once", "MiB", 400, "< 400 MB a worker"),
        (f"a file of {huge_gb:g} GB", "huge", "MiB more", 64, "< 64 MB more"),
    )
    return [
        Row(name, mib[key], unit, mib[key] / most, f"{most} MB", bar, mib[key] < most)
        for name, key, unit, most, bar in limits
    ]
