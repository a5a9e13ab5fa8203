"""Which hot folders there are; `vitrine.operations.hot_folders` looks at them (contract 06 section 23; 0154)."""

from vitrine.library.hot_folders.model import HotFolder, HotFolderId
from vitrine.library.hot_folders.service import HotFolders

__all__ = ["HotFolder", "HotFolderId", "HotFolders"]
