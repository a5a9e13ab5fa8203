"""Why a file cannot be used. All are Invalid: the remedy is another file."""

from vitrine.errors import Invalid


class MediaError(Invalid):
    """Something is wrong with a file."""

    code = "bad_file"


class EmptyFile(MediaError):
    code = "empty_file"


class LyingName(MediaError):
    """The content is not what the name says, and is nothing we keep under that name."""

    code = "lying_name"


class Undecodable(MediaError):
    """Truncated or damaged: the decoder gave up."""

    code = "undecodable"


class TooManyPixels(MediaError):
    """More pixels (or seconds) than this server decodes; noticed before decoding."""

    code = "too_many_pixels"


class FileTooLarge(MediaError):
    code = "file_too_large"


class TooSlow(MediaError):
    """The decoder was ended after its time."""

    code = "too_slow"


class OutOfMemory(MediaError):
    """The decoder was ended because it took too much memory."""

    code = "out_of_memory"


class Crashed(MediaError):
    """The decoder died by itself."""

    code = "crashed"


class Passing(MediaError):
    """Not the file's fault: the same call may succeed later."""

    code = "passing"


class Killed(Passing):
    """Somebody else ended the decoder (an administrator, the kernel when memory ran out)."""

    code = "killed"


class NoRoom(Passing):
    """The disk for work in progress is full or closed."""

    code = "no_room"


class NoMaker(MediaError):
    """There is no way to make this rendition of this kind of file yet."""

    code = "no_maker"


class EmptyMark(MediaError):
    """A mark that would not be seen: an unmarked picture must never go out in its place."""

    code = "empty_mark"


BY_CODE: dict[str, type[MediaError]] = {
    one.code: one
    for one in (
        MediaError, EmptyFile, LyingName, Undecodable, TooManyPixels, FileTooLarge, TooSlow, OutOfMemory, Crashed,
        NoMaker, EmptyMark, Passing, Killed, NoRoom,
    )
}  # fmt: skip
