"""What a command says of an error that ended it, and with which exit code."""

import errno
import sys
from pathlib import Path

from coequal.cli.exit_codes import ExitCode

FILE_ERRORS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "not found",
    errno.EEXIST: "exists",
    errno.ENOTDIR: "not found",
    errno.EISDIR: "exists and is a folder",
    errno.ENOTEMPTY: "the folder is not empty",
    errno.ENAMETOOLONG: "the name is too long",
}
DISK_ERRORS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.ENOTCONN: "the disk is gone",
    errno.ESTALE: "the network disk is gone",
    errno.EIO: "the disk fails",
}


def message(error: Exception) -> str:
    """What went wrong, for the user.

    Args:
        error: that no command has handled.
    """
    if isinstance(error, OSError):
        return describe_file_error(error) or str(error)
    return str(error.args[0] if isinstance(error, KeyError) and error.args else error)


def describe_file_error(error: OSError) -> str:
    """A sentence about a file or its disk; empty for an error that is of neither.

    Args:
        error: with the file's name, if it has one.
    """
    name = f"{error.filename}: " if error.filename else ""
    if error.errno in DISK_ERRORS:
        after = "finished trials are safe; once this is repaired, run the same command to continue"
        return f"{name}{DISK_ERRORS[error.errno]}; {after}"
    if error.errno not in FILE_ERRORS:
        return ""
    what = FILE_ERRORS[error.errno]
    if error.filename:
        path = Path(str(error.filename))
        above = next((folder for folder in path.parents if folder.is_file()), None)
        if above is not None:
            what = f"{above} is a file, not a folder"
        elif path.is_file() and error.errno in (errno.EEXIST, errno.ENOTDIR):
            what = "exists and is a file"
    return f"{name}{what}"


def exit_code(error: Exception) -> ExitCode:
    """The exit code of a command that an error ended.

    Args:
        error: that no command has handled.
    """
    from coequal.study.document import PartsError, StudyError

    if isinstance(error, BrokenPipeError):
        return ExitCode.READER_LEFT
    if isinstance(error, StudyError | PartsError):
        return ExitCode.MISTAKE
    if type(error) is LookupError:  # a name that nothing has
        return ExitCode.MISTAKE
    if isinstance(error, FileNotFoundError) and _on_the_command_line(error):
        return ExitCode.MISTAKE
    return ExitCode.FAILED


def _on_the_command_line(error: FileNotFoundError) -> bool:
    """Whether what is missing was named by the user.

    An error with a sentence of ours has no `errno`: it says what is wrong with a name that was
    given. One of the system names the file it looked for.
    """
    if error.errno is None:
        return True
    return any(Path(str(error.filename)).resolve() == Path(word).resolve() for word in sys.argv[1:])
