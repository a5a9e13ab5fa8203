"""How findings and progress are printed, for people and for scripts."""

import json

import pytest

from vitrine.cli.output import print_findings, progress_bar
from vitrine.errors import Conflict, Invalid
from vitrine.operations.findings import FAULT, OK, WARNING, Finding

SWITCHED_ON = Finding("deprecated features", WARNING, "Old site (old-site): implicit is on, never used: switch it off.")
NO_HTTPS = Finding("https", FAULT, "http://dam.example is not encrypted: use https.")


def test_scripts_read_the_former_name_of_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/decisions/0092."""
    print_findings([SWITCHED_ON], as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "ok": True, "checks": [{"check": "habits", "state": "warning", "text": SWITCHED_ON.text}],
    }  # fmt: skip


def test_people_read_todays_name_in_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([SWITCHED_ON, Finding("tokens", OK, "1 tokens have no end.")], as_json=False)
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"warning  deprecated features {SWITCHED_ON.text}"
    assert first.index("Old site") == second.index("1 tokens")


def test_short_names_have_a_column_of_ten(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([Finding("key", OK, "server.key decrypts the secrets.")], as_json=False)
    assert capsys.readouterr().out == "ok       key        server.key decrypts the secrets.\n"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_fault_ends_the_command_after_everything_is_printed(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    with pytest.raises(Conflict, match="1 faults were found"):
        print_findings([NO_HTTPS, SWITCHED_ON], as_json=as_json)
    printed = capsys.readouterr().out
    assert NO_HTTPS.text in printed
    assert SWITCHED_ON.text in printed
    assert not as_json or json.loads(printed)["ok"] is False


def test_nothing_to_report_is_printed_as_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([], as_json=False)
    assert capsys.readouterr().out == ""


def test_the_bar_names_the_operation_once_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal, in a log of cron."""
    with progress_bar("Copying", 3) as advance:
        for _ in range(3):
            advance(1)
    assert capsys.readouterr().out == "Copying\n"


def test_a_refusal_passes_through_the_bar() -> None:
    def copy() -> None:
        with progress_bar("Copying", 3) as advance:
            advance(1)
            raise Invalid("The backup is damaged.")

    with pytest.raises(Invalid, match="damaged"):
        copy()
