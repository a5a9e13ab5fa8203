"""Compiled statements that all databases of one process share, as all requests of a server do.

SQLAlchemy keeps what it compiled for each engine. A test makes an engine for its database and uses most statements
once or twice: to compile them anew took a third of the time of all tests.
"""

from typing import Any

from sqlalchemy import Dialect, Engine, create_engine
from sqlalchemy.util import LRUCache

from vitrine.platform import engines

_MOST_STATEMENTS = 5_000
_dialects: dict[str, Dialect] = {}
_statements: LRUCache[Any, Any] = LRUCache(_MOST_STATEMENTS)


def share() -> None:
    """From now on, for every `Database` of this process."""
    vars(engines)["create_engine"] = _sharing


def _sharing(url: str, **options: Any) -> Engine:
    engine = create_engine(url, **options, execution_options={"compiled_cache": _statements})
    # The dialect is part of each key. It knows its server once one of its engines has connected.
    known = _dialects.setdefault(engine.name, engine.dialect)
    if known.server_version_info is None:
        _dialects[engine.name] = engine.dialect
    else:
        engine.dialect = known
    return engine
