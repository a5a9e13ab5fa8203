"""One change of many records: a durable job with progress, an outcome for each record, and undo of the whole."""

from vitrine.library.bulk.service import BULK, BulkOperations

__all__ = ["BULK", "BulkOperations"]
