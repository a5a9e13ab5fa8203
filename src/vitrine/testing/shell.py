"""Commands of `vitrine` in this process: to start one takes two seconds of imports, which are proven once elsewhere
(tests/operations/test_serving.py)."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import structlog
from click.testing import CliRunner

from vitrine.cli.main import main
from vitrine.platform.logging import _RequestLines


@dataclass(frozen=True, slots=True)
class Completed:
    """What is left of a command, as `subprocess` names it."""

    returncode: int
    stdout: str
    stderr: str


def vitrine(*arguments: str, **environment: str) -> Completed:
    """Run `vitrine` with *arguments*; no setting comes from the environment but those of *environment*."""
    unset = {name: None for name in os.environ if name.startswith("VITRINE_")}
    with (
        patch.object(sys, "argv", ["vitrine", *arguments]),
        CliRunner().isolation(env={**unset, **environment}) as (stdout, stderr, _both),
        _log_of_its_own(),
    ):
        code = _exit_status()
        sys.stdout.flush()
        sys.stderr.flush()
        return Completed(code, stdout.getvalue().decode(), stderr.getvalue().decode())


@contextmanager
def _log_of_its_own() -> Iterator[None]:
    """A command configures the log of its process; here, only until it ends."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure = structlog.configure

    def forgetful(**options: Any) -> None:
        # A logger that remembers its configuration would write to the command's closed stream for ever.
        configure(**{**options, "cache_logger_on_first_use": False})

    with (
        patch.multiple(_RequestLines, as_json=_RequestLines.as_json, stream=_RequestLines.stream),
        patch.object(structlog, "configure", forgetful),
    ):
        try:
            yield
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
    structlog.configure(**before)


def _exit_status() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
