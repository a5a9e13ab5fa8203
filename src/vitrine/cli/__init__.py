"""The `vitrine` command: serve, worker, administration, import. It is the outermost layer and composes the product."""

from vitrine.cli.main import main

__all__ = ["main"]
