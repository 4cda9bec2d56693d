"""What a user can mend."""


class BenchmarkError(ValueError):
    """Nothing can be measured; the message says what is missing."""
