"""What commands print, and options that several of them take."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from vitrine.errors import Conflict
from vitrine.operations.findings import Finding, faults
from vitrine.operations.progress import Advance

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
# Names of checks that scripts read in --json, where they differ from what people read.
JSON_NAMES = {"deprecated features": "habits"}
LEAST_WIDTH = 10
json_option = click.option("--json", "as_json", is_flag=True, help="Print a machine-readable result.")


def print_result(result: dict[str, Any], *, as_json: bool, sentence: str) -> None:
    click.echo(json.dumps(result) if as_json else sentence)


def print_findings(findings: list[Finding], *, as_json: bool) -> None:
    """Print findings. Raises Conflict if one of them is a fault."""
    fault_count = len(faults(findings))
    if as_json:
        checks = [asdict(finding) | {"check": JSON_NAMES.get(finding.check, finding.check)} for finding in findings]
        click.echo(json.dumps({"ok": not fault_count, "checks": checks}))
    else:
        width = max([LEAST_WIDTH, *(len(finding.check) for finding in findings)])
        for finding in findings:
            click.echo(f"{finding.state:8} {finding.check:{width}} {finding.text}")
    if fault_count:
        raise Conflict(f"{fault_count} faults were found.")


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Advance]:
    """Show the progress of an operation as a bar."""
    with click.progressbar(length=total, label=label, show_pos=True) as bar:
        yield bar.update
