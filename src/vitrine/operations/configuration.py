"""The settings file of an instance."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitrine import settings
from vitrine.settings import Settings

CONFIGURATION = "vitrine.toml"


def load_settings(
    data: Path,
    *,
    environ: Mapping[str, str] | None = None,
    otherwise: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> Settings:
    """Settings of the instance in *data*. Later sources win: *otherwise*, its vitrine.toml, the environment,
    *overrides*."""
    file = data / CONFIGURATION
    existing_file = file if file.exists() else None
    return settings.load(environ, existing_file, otherwise=otherwise, data_dir=data.resolve(), **overrides)
