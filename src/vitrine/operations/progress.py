"""How a long operation reports its progress. A command shows a bar; a page may store the numbers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Called once for each part of an operation, with its label and its number of steps. The context manager lasts as
    long as the part; inside it, the operation reports each number of finished steps."""

    def __call__(self, label: str, total: int, /) -> AbstractContextManager[Advance]: ...


@contextmanager
def silent(_label: str, _total: int) -> Iterator[Advance]:
    """Report nothing."""
    yield _ignore


def _ignore(_steps: int) -> None:
    """Nobody is interested in these steps."""
