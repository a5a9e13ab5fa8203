"""How commands open an instance."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from vitrine import app, settings
from vitrine.edge.services import Services
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


def load(data: Path, *, otherwise: Mapping[str, Any] | None = None, **given: Any) -> Settings:
    """Settings of the instance in *data*: *otherwise*, its vitrine.toml, the environment, then *given*."""
    file = data / CONFIGURATION
    found = settings.load(file=file if file.exists() else None, otherwise=otherwise, data_dir=data.resolve(), **given)
    logging.configure(as_json=found.log_json, level=found.log_level)
    return found


@contextmanager
def instance(data: Path) -> Iterator[Services]:
    """The services of an instance, for one command."""
    services = app.make_services(load(data))
    try:
        yield services
    finally:
        services.media.close()
        services.search.index.close()
        services.database.close()
