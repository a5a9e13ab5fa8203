"""Blob storage: content-addressed by SHA-256, written once, never changed."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from vitrine.errors import Invalid
from vitrine.media.storage.base import BlobStore, HasPaths, Listed, Spooled, Stored
from vitrine.media.storage.local import LocalStore

__all__ = ["STORES", "BlobStore", "HasPaths", "Listed", "LocalStore", "Spooled", "Stored", "open_store"]


def _local(_url: str, data: Path) -> BlobStore:
    return LocalStore(data / "blobs")


def _objects(url: str, data: Path) -> BlobStore:
    try:
        from vitrine.media.storage.s3 import ObjectStore
    except ModuleNotFoundError:
        raise Invalid("An object store needs obstore: install vitrine with the extra `grown`.") from None
    return ObjectStore.at(url, data / "blobs" / "incoming")


# By the scheme of the setting `blobs_url`. Tests run on local folders and on S3; Google's and Azure's stores use the
# same library and the same calls.
STORES: dict[str, Callable[[str, Path], BlobStore]] = {"": _local, "s3": _objects, "gs": _objects, "az": _objects}


def open_store(url: str, data: Path) -> BlobStore:
    """The store that `blobs_url` names. Spooled bytes are always in the data folder. Raises Invalid."""
    scheme = urlsplit(url).scheme
    if scheme not in STORES or (url and not scheme):
        raise Invalid("blobs_url must begin with s3://, gs:// or az://, or be empty.", field="blobs_url")
    return STORES[scheme](url, data)
