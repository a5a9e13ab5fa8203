"""rule: changes that are made to records of a databox whenever they meet criteria."""

from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND
from vitrine.cli.attributes import parsed
from vitrine.cli.databox_structure import attributes_argument, databox_option
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import json_option, print_result
from vitrine.errors import NotFound
from vitrine.library.model import DataboxId
from vitrine.library.rules.model import Rule, Run
from vitrine.library.rules.service import shown

rule_argument = click.argument("rule_id", type=int)
MOST_LISTED = 100


def _run(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "run_id": run.id, "state": run.state, "by_hand": run.by_hand, "looked_at": run.looked_at,
        "matched": run.matched, "changed": run.changed, "refused": run.refused + run.failed, "held": run.held,
        "has_more": run.has_more, "outcome": run.outcome, "operation_id": run.operation_id,
    }  # fmt: skip


def _rule(rule: Rule, last: Run | None) -> dict[str, Any]:
    return {"rule_id": rule.id, **shown(rule), "ended": rule.ended, "last_run": _run(last)}


def _words(rule: Rule, last: Run | None) -> str:
    state = "on" if rule.enabled else (f"off ({rule.ended})" if rule.ended else "off")
    if last is None:
        return f"{rule.id} {rule.name}: {state}, has not run"
    numbers = f"{last.matched} matched, {last.changed} changed, {last.refused + last.failed} refused, {last.held} held"
    return f"{rule.id} {rule.name}: {state}, last run {last.state}, {numbers}"


@click.group()
def rule() -> None:
    """Rules of a databox. ATTRIBUTES are name=value pairs: criteria={"base_ids":[1]} action={"base_id":2}
    interval_minutes=60 enabled=true. A rule that is set here acts for the command line, with every right."""


@rule.command("add")
@click.argument("name")
@attributes_argument
@databox_option
@data_option
@json_option
def add_rule(name: str, attributes: tuple[str, ...], databox_id: int, data: Path, as_json: bool) -> None:
    """Make a rule called NAME. It is off unless enabled=true is given."""
    given = {"name": name, **parsed(attributes)}
    with instance(data) as services, services.database.write() as work:
        added = services.library.rules.add(work, COMMAND, DataboxId(databox_id), given)
    state = "on" if added.enabled else "off: try it with vitrine rule dry-run"
    print_result(_rule(added, None), as_json=as_json, sentence=f"Rule {added.id} was made; it is {state}.")


@rule.command("set")
@rule_argument
@attributes_argument
@databox_option
@data_option
@json_option
def set_rule(rule_id: int, attributes: tuple[str, ...], databox_id: int, data: Path, as_json: bool) -> None:
    """Change a rule, or switch it on or off: enabled=true. A run that is under way is not finished."""
    with instance(data) as services, services.database.write() as work:
        changed = services.library.rules.change(work, COMMAND, DataboxId(databox_id), rule_id, parsed(attributes))
    print_result(_rule(changed, None), as_json=as_json, sentence=f"Rule {rule_id} was changed.")


@rule.command("delete")
@rule_argument
@databox_option
@data_option
@json_option
def delete_rule(rule_id: int, databox_id: int, data: Path, as_json: bool) -> None:
    """Delete a rule; what it did stays."""
    with instance(data) as services, services.database.write() as work:
        services.library.rules.delete(work, COMMAND, DataboxId(databox_id), rule_id)
    print_result({"rule_id": rule_id}, as_json=as_json, sentence=f"Rule {rule_id} was deleted.")


@rule.command("list")
@databox_option
@data_option
@json_option
def list_rules(databox_id: int, data: Path, as_json: bool) -> None:
    """The rules of a databox, at most 100, with their last runs."""
    with instance(data) as services, services.database.read() as work:
        rules = services.library.rules
        rows = rules.page(work, COMMAND, DataboxId(databox_id), after=0, limit=MOST_LISTED)
        last = rules.last_runs(work, rows)
    result = {"rules": [_rule(row, last.get(row.id)) for row in rows]}
    print_result(result, as_json=as_json, sentence="\n".join(_words(row, last.get(row.id)) for row in rows))


@rule.command("dry-run")
@rule_argument
@databox_option
@data_option
@json_option
def dry_run(rule_id: int, databox_id: int, data: Path, as_json: bool) -> None:
    """What a rule would do now: the number of records, and the first of them. Nothing is changed."""
    with instance(data) as services, services.database.read() as work:
        finding = services.library.rules.dry_run(work, COMMAND, DataboxId(databox_id), rule_id)
    numbers = [candidate.number for candidate in finding.records[:MOST_LISTED]]
    result = {
        "looked_at": finding.looked_at, "matched": len(finding.records), "refused": finding.refused,
        "held": finding.held, "is_complete": finding.is_over, "record_ids": numbers,
    }  # fmt: skip
    more = "" if finding.is_over else " or more"
    words = f"{len(finding.records)}{more} records would be changed: {', '.join(map(str, numbers)) or 'none'}."
    print_result(result, as_json=as_json, sentence=words)


@rule.command("undo")
@rule_argument
@click.argument("run_id", type=int)
@databox_option
@data_option
@json_option
def undo_run(rule_id: int, run_id: int, databox_id: int, data: Path, as_json: bool) -> None:
    """Take back what a run of a rule did; the worker does it. The rule leaves these records alone from now on."""
    with instance(data) as services, services.database.write() as work:
        run = services.library.rules.run(work, COMMAND, DataboxId(databox_id), rule_id, run_id)
        if run.operation_id is None:
            raise NotFound(f"The run {run_id} changed nothing.", field="run_id")
        undo = services.library.bulk.begin_undo(work, COMMAND, run.operation_id)
    result = {"operation_id": undo.id, "changes": undo.total}
    print_result(result, as_json=as_json, sentence=f"{undo.total} changes are being taken back.")


@rule.command("run")
@rule_argument
@databox_option
@data_option
@json_option
def run_rule(rule_id: int, databox_id: int, data: Path, as_json: bool) -> None:
    """Let the worker run a rule now, whether it is on or not."""
    with instance(data) as services, services.database.write() as work:
        started = services.library.rules.start(work, COMMAND, DataboxId(databox_id), rule_id)
    print_result(_run(started) or {}, as_json=as_json, sentence=f"Run {started.id} of rule {rule_id} waits.")
