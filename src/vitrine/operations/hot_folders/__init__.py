"""The worker's part of hot folders (contract 06 section 23; 0154)."""

from vitrine.operations.hot_folders.watcher import Watcher

__all__ = ["Watcher"]
