"""Export and import of 20,000 records, each killed three times."""

from pathlib import Path

import pytest

from tests.operations.test_export_kills import check_kills


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_twenty_thousand_records_survive_kills_each_way(tmp_path: Path) -> None:
    check_kills(tmp_path, 20_000)
