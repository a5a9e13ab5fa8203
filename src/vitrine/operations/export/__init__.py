"""Everything of an instance in an open layout, written and taken back (docs/wire/export.md)."""

from vitrine.operations.export.importing import Imported, import_bag
from vitrine.operations.export.writing import Exported, write_bag

__all__ = ["Exported", "Imported", "import_bag", "write_bag"]
