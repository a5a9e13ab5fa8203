"""Refusals about which hot folders there are."""

from vitrine.errors import Conflict, NotFound


class NoSuchHotFolder(NotFound):
    code = "no_such_hot_folder"


class HotFoldersOff(Conflict):
    """The setting `hot_folder_roots` is empty."""

    code = "hot_folders_off"


class HotFolderOverlaps(Conflict):
    """A hot folder lies in another, or holds it."""

    code = "hot_folder_overlaps"


class TooManyHotFolders(Conflict):
    code = "too_many_hot_folders"
