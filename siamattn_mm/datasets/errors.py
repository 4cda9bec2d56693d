"""What is wrong with data, for users to mend."""


class DataError(ValueError):
    """Data are not as expected; the message, a line, says where and how.

    The tools print the message alone.
    """


class TooManyUnreadableError(RuntimeError):
    """More frames of a training source cannot be read than is allowed."""
