"""The arithmetic of `make bench`: what a ratio is, which bars are scaled, and that what did not run has no line."""

import pytest
from benchmarks.rows import BARE, BARE_MS, ON_SQLITE, Row, memory_rows, rendition_row, request_rows

OURS = {"me": 0.1, "25 records": 0.6, "25 extended": 1.6, "thumbnail": 0.05, "token": 0.3, "bad checksum": 0.05}


def rows(ms: dict[str, float]) -> dict[tuple[str, str], Row]:
    return {(row.name, row.against): row for row in request_rows(ms)}


def test_a_rival_that_did_not_run_has_no_line() -> None:
    against = {rival for _name, rival in rows({BARE: BARE_MS, "bare body": 0.03, **OURS})}
    assert against == {BARE, "bare body", "me", "the scaled bar"}


def test_a_target_that_was_not_measured_has_no_line() -> None:
    assert {name for name, _rival in rows({BARE: BARE_MS, "token": 0.3})} == {"token"}


@pytest.mark.parametrize(("rival_ms", "ratio", "ok"), [(0.36, 1.2, True), (0.355, 1.183, False), (0.9, 3.0, True)])
def test_a_ratio_is_how_many_times_as_fast_we_are(rival_ms: float, ratio: float, ok: bool) -> None:
    rival = f"{ON_SQLITE}, token"
    row = rows({BARE: BARE_MS, "token": 0.3, rival: rival_ms})["token", rival]
    assert (round(row.ratio, 3), row.ok, row.bar) == (ratio, ok, "≥ 1.2 ×")


@pytest.mark.parametrize(
    ("bare_ms", "ms", "ratio", "ok"),
    [
        (BARE_MS, 0.4, 1.0, True),
        (BARE_MS, 0.41, 0.976, False),
        (2 * BARE_MS, 0.8, 1.0, True),  # a machine that is half as fast
        (BARE_MS / 2, 0.21, 0.952, False),  # one that is twice as fast
    ],
)
def test_a_bar_in_milliseconds_is_scaled_by_the_bare_look_up(bare_ms: float, ms: float, ratio: float, ok: bool) -> None:
    row = rows({BARE: bare_ms, "token": ms})["token", "the scaled bar"]
    assert (round(row.ratio, 3), row.ok) == (ratio, ok)
    assert row.bar == f"≤ 0.4 ms, scaled ≤ {0.4 * bare_ms / BARE_MS:.3f} ms"


def test_a_ratio_of_one_run_is_not_scaled() -> None:
    slow, fast = (rows({BARE: 0.0535 * factor, "me": 0.1 * factor})["small bearer JSON", BARE] for factor in (3, 1))
    assert slow.ratio == pytest.approx(fast.ratio)
    assert (slow.ok, fast.ok) == (True, True)


def test_renditions_and_memory_are_to_be_small() -> None:
    assert [rendition_row(ours, 100).ok for ours in (114, 116)] == [True, False]
    mib = {"idle": 119.0, "at once": 401.0, "huge": 1.0}
    assert [(row.name, row.ok) for row in memory_rows(mib, 10)] == [
        ("memory at rest", True), ("ten of 24 MP at once", False), ("a file of 10 GB", True),
    ]  # fmt: skip


def test_a_line_says_whether_its_bar_was_met() -> None:
    assert str(Row("token", 0.3, "ms CPU", 1.5, "me", "≥ 1 ×", ok=True)).startswith("ok     token")
    assert str(Row("token", 0.3, "ms CPU", 0.5, "me", "≥ 1 ×", ok=False)).startswith("MISSED token")
