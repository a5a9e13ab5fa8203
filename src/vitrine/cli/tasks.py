"""task, maintenance: what the workers do, and whether the server is open to everybody."""

import json
from pathlib import Path

import click

from vitrine.accounts import COMMAND
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import json_option, print_result
from vitrine.operations.tasks import Task


@click.group()
def task() -> None:
    """Tasks of the workers."""


@task.command("list")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each task.")
def list_tasks(data: Path, as_json: bool) -> None:
    """List the tasks: whether they may run, and whether they do."""
    with instance(data) as services, services.database.read() as work:
        tasks = services.tasks.all(work, COMMAND)
    for each in tasks:
        click.echo(json.dumps(_line(each)) if as_json else f"{each.number}\t{_words(each)}\t{each.title}")


def _line(task: Task) -> dict[str, object]:
    return {
        "task": task.number, "title": task.title, "started": task.is_started, "running": task.is_running,
        "autostart": task.autostarts,
    }  # fmt: skip


def _words(task: Task) -> str:
    wish = "started" if task.is_started else "stopped"
    return f"{wish}, {'running' if task.is_running else 'not running'}"


@task.command("start")
@click.argument("number", type=int)
@data_option
@json_option
def start_task(number: int, data: Path, as_json: bool) -> None:
    """Let every worker do this task again."""
    with instance(data) as services, services.database.write() as work:
        changed = services.tasks.start(work, COMMAND, number)
    print_result(_line(changed), as_json=as_json, sentence=f"Task {number} ({changed.title}) is started.")


@task.command("stop")
@click.argument("number", type=int)
@data_option
@json_option
def stop_task(number: int, data: Path, as_json: bool) -> None:
    """Keep every worker from this task; what runs is finished."""
    with instance(data) as services, services.database.write() as work:
        changed = services.tasks.stop(work, COMMAND, number)
    print_result(_line(changed), as_json=as_json, sentence=f"Task {number} ({changed.title}) is stopped.")


@click.command()
@click.argument("state", type=click.Choice(["on", "off"]))
@data_option
@json_option
def maintenance(state: str, data: Path, as_json: bool) -> None:
    """Close the server to everybody but administrators, or open it again. Running servers follow within seconds."""
    with instance(data) as services, services.database.write() as work:
        services.maintenance.switch(work, COMMAND, on=state == "on")
    sentence = "Only administrators get in now." if state == "on" else "The server is open to everybody again."
    print_result({"maintenance": state == "on"}, as_json=as_json, sentence=sentence)
