"""Words for the user."""


def first_line(error: BaseException) -> str:
    """What an error says, in a line.

    Args:
        error (BaseException): Any.

    Returns:
        str: The first line of its message; its kind, if it has none.
    """
    return (str(error).splitlines() or [type(error).__name__])[0]
