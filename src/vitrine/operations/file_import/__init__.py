"""Import files of the machine's disk, with what CSV files and XMP sidecars say of them (docs/decisions/0153)."""

from vitrine.operations.file_import.field_mapping import ImportMapping
from vitrine.operations.file_import.mapping_file import read_mapping
from vitrine.operations.file_import.model import NAME_GUESSED, FileResult, FileState, Source
from vitrine.operations.file_import.service import FileImport, Plan
from vitrine.operations.file_import.walk import files_in

__all__ = [
    "NAME_GUESSED", "FileImport", "FileResult", "FileState", "ImportMapping", "Plan", "Source", "files_in",
    "read_mapping",
]  # fmt: skip
