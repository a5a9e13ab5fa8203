"""The `vitrine` command: serve, worker, administration, import. The outermost caller: it composes the product."""

from vitrine.cli.main import main

__all__ = ["main"]
