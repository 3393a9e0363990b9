"""What can go wrong, in words for the person at the keyboard."""


class FramingError(Exception):
    """An operation failed; the message says what, where and what to do (exit code 1)."""

    exit_code = 1


class InputError(FramingError):
    """What was given cannot be used: a file, a column, an option's value (exit code 2)."""

    exit_code = 2
