"""Numbers in a line of text, if there is one way to read them."""
import re
from typing import List, Sequence

# A comma in a number that is followed by white space ends the number.
_BETWEEN = re.compile(r'\s*,\s*|\s+')
_AROUND = re.compile(r'\s*,?\s+')
# One number, where a comma or a point may also stand between thousands.
_WITH_COMMA = re.compile(
    r'[+-]?(\d+(,\d+)?|\d{1,3}(\.\d{3})+(,\d+)?|\d{1,3}(,\d{3})+(\.\d+)?)'
    r'(e[+-]?\d+)?', re.IGNORECASE)


def parse_numbers(line: str, counts: Sequence[int]) -> List[float]:
    """Read the numbers of a line; commas, tabs and spaces separate them.

    Args:
        line (str): The line.
        counts (Sequence[int]): How many numbers there may be.

    Returns:
        list[float]: The numbers, maybe of another count.

    Raises:
        ValueError: If a word is no number, or if the commas may be decimal
            ones, as in ``"138,63<TAB>1,82<TAB>43,18<TAB>29,57"``.
    """
    words = _BETWEEN.split(line.strip())
    fields = _AROUND.split(line.strip())
    # With one kind of separator there is one way to read it.
    if 1 < len(fields) < len(words) and len(fields) in counts and all(
            _WITH_COMMA.fullmatch(field) for field in fields):
        raise ValueError(
            f'{line.strip()[:60]!r} are {len(words)} numbers, or '
            f'{len(fields)} with decimal commas; write decimal points, or one '
            'kind of separator')
    return [_number(word) for word in words]


def _number(word: str) -> float:
    try:
        # Python takes "1_000", which no annotation means.
        if '_' in word:
            raise ValueError
        return float(word)
    except ValueError:
        hint = ''
        if ';' in word:
            hint = ' (commas, tabs or spaces separate numbers, not semicolons)'
        raise ValueError(f'{word!r} is not a number{hint}') from None
