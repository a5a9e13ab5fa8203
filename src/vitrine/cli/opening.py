"""Helpers by which commands open an instance."""

import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from vitrine import app, settings
from vitrine.edge.services import Services
from vitrine.errors import Forbidden
from vitrine.platform import logging
from vitrine.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
CONFIGURATION = "vitrine.toml"


def data_option(command: F) -> F:
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("var/data"),
        show_default=True,
        envvar="VITRINE_DATA_DIR",
        help="Folder of the instance.",
    )(command)


def load(
    data: Path,
    *,
    environ: Mapping[str, str] | None = None,
    otherwise: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> Settings:
    """Settings of the instance in *data*: *otherwise*, its vitrine.toml, the environment, then *given*."""
    file = data / CONFIGURATION
    existing_file = file if file.exists() else None
    loaded = settings.load(environ, existing_file, otherwise=otherwise, data_dir=data.resolve(), **overrides)
    logging.configure(as_json=loaded.log_json, level=loaded.log_level)
    return loaded


def refuse_foreign(data: Path) -> None:
    """Refuse to run as root in another user's instance: files written by root would be unreadable for the server.

    Raises Forbidden with the command to use instead. Root may run backup, restore, doctor and check anywhere."""
    owner = data.stat().st_uid if data.is_dir() else os.geteuid()
    if os.geteuid() != 0 or owner == 0:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise Forbidden(
        f"{data} belongs to {name}, who could not read the files that root writes there. "
        f"Type: runuser -u {name} -- vitrine …",
        field="data",
    )


@contextmanager
def instance(data: Path) -> Iterator[Services]:
    """The services of an instance, for one command."""
    refuse_foreign(data)
    services = app.make_services(load(data))
    try:
        yield services
    finally:
        services.media.close()
        services.search.index.close()
        services.database.close()
