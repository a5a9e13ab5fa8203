"""Changes of SQLite definitions that leave the rows as they are stored.

A table that is recreated copies all of its rows: minutes and twice the disk for a million records with their values.
SQLite's manual gives these steps instead, for changes that have no effect on the rows and indexes on disk
(sqlite.org/lang_altertable.html section 7).
"""

from collections.abc import Iterable

from sqlalchemy import Connection


def change_definitions(connection: Connection, changes: Iterable[tuple[str, str, str]]) -> None:
    """Replace a piece of the definition of some tables: (table, old, new). Raises RuntimeError if a definition does not
    contain the old piece; the migration then changes nothing."""
    version = int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    try:
        for table, old, new in changes:
            changed = connection.exec_driver_sql(
                "UPDATE sqlite_master SET sql = replace(sql, ?, ?)"
                " WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
                (old, new, table, old),
            )
            if changed.rowcount != 1:
                raise RuntimeError(f"the table {table} is not as this migration knows it; nothing was changed")
        connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")  # every connection reads them anew
    finally:
        connection.exec_driver_sql("PRAGMA writable_schema=RESET")
