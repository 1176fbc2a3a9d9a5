"""What the exit code of a command means; it is the same for all commands."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended.

    Attributes:
        meaning: a sentence, as it stands in docs/reference/command_line.md.
    """

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "ExitCode":
        """A code with its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    DONE = 0, "The command did what was asked."
    FAILED = 1, "The command failed, because of a file, the data, the disk or the memory."
    MISTAKE = (
        2,
        "The command line or the study file has a mistake: an unknown option or name, a file or "
        "folder named there that does not exist, or a part that fails when it is tried.",
    )
    NEVER_FINISHED = (
        3,
        "`run` or `train` ended, but at least one model never finished a trial.",
    )
    DIFFERENT = 4, "`verify` found a difference."
    INTERRUPTED = 130, "Stopped by Ctrl-C; run the same command to continue."
    TERMINATED = (
        143,
        "Stopped by SIGTERM, as a cluster's scheduler sends; run the same command to continue.",
    )
    READER_LEFT = 141, "The program that read the output, such as `head`, closed it."
