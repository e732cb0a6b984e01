"""Refuse paths that are no regular file before a whole read: a device or a pipe has no end."""

import os
import stat

from syncer.text.quote import quoted

# A kubeconfig of a thousand clusters has 5 MiB; a token has 4 KiB.
_MOST_BYTES = 16 * 1024 * 1024


class NoFileError(ValueError):
    """A path that cannot be read whole; the one-line message has the path."""


def refuse_no_file(path: str) -> None:
    """Refuse a path that is neither a regular file of a sane size, nor /dev/null, nor absent.

    A path with a failed `stat` is left to the code that opens the file: the error of the open has the cause.

    Raises:
        NoFileError: for any other path.

    """
    try:
        status, nothing = os.stat(path), os.stat(os.devnull)  # noqa: PTH116 - for paths with NUL too
    except (OSError, ValueError):
        return
    if stat.S_ISDIR(status.st_mode):
        raise NoFileError(f"{quoted(path)} is a directory")
    if not stat.S_ISREG(status.st_mode) and not os.path.samestat(status, nothing):
        raise NoFileError(f"{quoted(path)} is not a regular file")
    if status.st_size > _MOST_BYTES:
        raise NoFileError(f"{quoted(path)} is larger than {_MOST_BYTES // (1024 * 1024)} MiB")
