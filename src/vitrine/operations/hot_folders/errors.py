"""Why a worker does not take files from a hot folder."""

from vitrine.errors import Unavailable


class FolderFault(Unavailable):
    """The folder cannot be used at the moment; its files stay where they are."""

    code = "hot_folder_fault"


class NotHeld(Unavailable):
    """Another worker looks after the folder by now, or it was changed: this one stops."""

    code = "hot_folder_not_held"
