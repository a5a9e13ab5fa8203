"""The table of growth is measured on a real server; here it is only seen to run, whatever the figures are."""

import json
from pathlib import Path

import pytest
from benchmarks.scale import measure as table
from benchmarks.scale.build import build
from benchmarks.scale.measure import keep, measure
from benchmarks.scale.processes import longest_callbacks

from tests.browser.conftest import free_port


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_row_that_is_a_request_has_a_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    instance = build(folder, 300)
    rows = measure(folder, ["reads", "pages", "many"], 0.01, free_port())
    assert all(value > 0 for value in rows.values() if isinstance(value, float))
    assert {"me", "databoxes/collections", "audit page, rare action", "sign-in", "first /metrics, ms wall"} <= set(rows)
    assert rows["20 deletes by four clients"]["statuses"] == {200: 20}
    assert rows["32 clients"]["memory_mib"]["anon"] > 10
    longest = longest_callbacks(folder, free_port())
    assert longest["longest callback of all, ms"][0] > 2, "a page takes longer than the watch leaves out"
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(table, "HERE", tmp_path)
    keep(rows, instance)
    (kept,) = json.loads(keep(rows, instance).read_text())[1:]
    assert (kept["records"], kept["database"], kept["rows"]["me"]) == (300, "sqlite", rows["me"])
