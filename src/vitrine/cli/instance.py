"""How commands open an instance."""

import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from vitrine import composition
from vitrine.edge.services import Services
from vitrine.errors import Forbidden
from vitrine.operations.configuration import load_settings
from vitrine.platform import logging
from vitrine.settings import Settings

C = TypeVar("C", bound=Callable[..., Any])


def data_option(command: C) -> C:
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("var/data"),
        show_default=True,
        envvar="VITRINE_DATA_DIR",
        help="Folder of the instance.",
    )(command)


def load(data: Path, *, otherwise: Mapping[str, Any] | None = None, **overrides: Any) -> Settings:
    """Settings of the instance in *data*, which also configure the log. Later sources win: *otherwise*, its
    vitrine.toml, the environment, *overrides*."""
    settings = load_settings(data, otherwise=otherwise, **overrides)
    logging.configure(as_json=settings.log_json, level=settings.log_level)
    return settings


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
    services = composition.make_services(load(data))
    try:
        yield services
    finally:
        services.media.close()
        services.search.index.close()
        services.database.close()
