"""What an import has seen, on disk rather than in memory."""

import sqlite3


class Seen:
    """Texts that were seen in this run, with the line or path where; one temporary file, deleted with the object."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")  # a private file of SQLite's own
        self._db.execute("CREATE TABLE seen (text BLOB PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID")

    def add(self, text: bytes, place: str) -> str | None:
        """Where it was seen before, None if it is new."""
        known = self._db.execute("SELECT place FROM seen WHERE text = ?", (text,)).fetchone()
        if known is not None:
            return str(known[0])
        self._db.execute("INSERT INTO seen VALUES (?, ?)", (text, place))
        return None

    def has(self, text: bytes) -> bool:
        return self._db.execute("SELECT 1 FROM seen WHERE text = ?", (text,)).fetchone() is not None

    def close(self) -> None:
        self._db.close()
