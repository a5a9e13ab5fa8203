"""Why a file cannot be used. All errors are Invalid: the remedy is another file."""

from vitrine.errors import Invalid


class MediaError(Invalid):
    """Something is wrong with a file."""

    code = "bad_file"


class EmptyFile(MediaError):
    code = "empty_file"


class MisnamedFile(MediaError):
    """The content does not match the file name, and is not accepted under that name."""

    code = "lying_name"


class Undecodable(MediaError):
    """The file is truncated or damaged; the decoder failed."""

    code = "undecodable"


class TooManyPixels(MediaError):
    """More pixels or seconds than this server decodes; detected before decoding."""

    code = "too_many_pixels"


class FileTooLarge(MediaError):
    code = "file_too_large"


class TooSlow(MediaError):
    """The decoder was killed because it took too long."""

    code = "too_slow"


class OutOfMemory(MediaError):
    """The decoder was killed because it used too much memory."""

    code = "out_of_memory"


class Crashed(MediaError):
    """The decoder crashed."""

    code = "crashed"


class TransientError(MediaError):
    """Not the file's fault: the same call may succeed later."""

    code = "passing"


class Killed(TransientError):
    """The decoder was killed from outside (by an administrator, or by the kernel when memory ran out)."""

    code = "killed"


class NoRoom(TransientError):
    """The disk for temporary files is full or read-only."""

    code = "no_room"


class NoMaker(MediaError):
    """No maker can produce this rendition from this type of file."""

    code = "no_maker"


class EmptyOverlay(MediaError):
    """The overlay would be invisible. The picture must never be delivered without it."""

    code = "empty_mark"


BY_CODE: dict[str, type[MediaError]] = {
    error.code: error
    for error in (
        MediaError, EmptyFile, MisnamedFile, Undecodable, TooManyPixels, FileTooLarge, TooSlow, OutOfMemory, Crashed,
        NoMaker, EmptyOverlay, TransientError, Killed, NoRoom,
    )
}  # fmt: skip
