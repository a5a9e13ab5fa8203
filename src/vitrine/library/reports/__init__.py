"""What is known of the use of documents: views of permalinks, downloads and the like, searches (06 section 25)."""

from vitrine.library.reports.service import Reports
from vitrine.library.reports.uses import UseKind

__all__ = ["Reports", "UseKind"]
