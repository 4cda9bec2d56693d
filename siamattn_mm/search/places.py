"""Names of a model's numbers, and what to say of those that are none."""
import difflib
import numbers
from typing import Dict, Mapping

from siamattn_mm.models.trackers.tracking_config import MOVED

from .online_numbers import (
    PREFIX,
    Number,
    Online,
    numbers_of_parts,
    split_key,
)

# Where a name without a dot is looked for.
_GROUPS = ('rpn', 'refine', 'report')
# What a name must have in common with another to be mistaken for it.
_SIMILAR = 0.5


def all_numbers(test_cfg: Mapping, online: Online) -> Dict[str, Number]:
    """Find the numbers of a model.

    Args:
        test_cfg (Mapping): Of the model.
        online (Sequence[dict], optional): Of the model.

    Returns:
        dict[str, int | float]: By place, ``'rpn.lr'``; those of ``test_cfg``
        first.
    """
    known: Dict[str, Number] = _numbers_in(test_cfg)
    for part, values in numbers_of_parts(online).items():
        known.update({f'{PREFIX}{part}.{name}': value
                      for name, value in values.items()})
    return known


def _numbers_in(tree: Mapping, prefix: str = '') -> Dict[str, Number]:
    found: Dict[str, Number] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found.update(_numbers_in(value, f'{prefix}{key}.'))
        elif isinstance(value, numbers.Real) and not isinstance(value, bool):
            found[prefix + key] = float(value)
    return found


def full_key(known: Mapping[str, Number], name: str) -> str:
    """Complete a short name.

    Args:
        known (Mapping[str, int | float]): From :func:`all_numbers`.
        name (str): A place, or the last part of one.

    Returns:
        str: The place; ``name`` if there is none.

    Raises:
        ValueError: If several parts have a number of that name.
    """
    if '.' in name:
        return name
    for group in _GROUPS:
        if f'{group}.{name}' in known:
            return f'{group}.{name}'
    if name in known:
        return name
    of_parts = [key for key in known
                if key.startswith(PREFIX) and split_key(key)[1] == name]
    if len(of_parts) > 1:
        raise ValueError(f'{name!r} may be {" or ".join(of_parts)}: give the '
                         'whole name')
    return of_parts[0] if of_parts else name


def missing(known: Mapping[str, Number], name: str,
            parts: Mapping[str, Mapping[str, Number]]) -> str:
    """Say of a number that it is not there.

    Args:
        known (Mapping[str, int | float]): From :func:`all_numbers`.
        name (str): What was asked for.
        parts (Mapping[str, Mapping]): From :func:`numbers_of_parts`.

    Returns:
        str: Names the nearest one, and what there is.
    """
    if name.startswith(PREFIX):
        part, argument = split_key(name)
        if part not in parts:
            places = {other: f'{PREFIX}{other}.{argument}'.rstrip('.')
                      for other in parts}
            return (f'model.online has no part {part!r} (in {name!r}); '
                    f'{_suggest(part, places)}it has '
                    f'{", ".join(parts) or "none at all"}')
        places = {other: f'{PREFIX}{part}.{other}' for other in parts[part]}
        return (f'{part} of model.online has no number {argument!r} (in '
                f'{name!r}); {_suggest(argument, places)}it has '
                f'{", ".join(parts[part]) or "none at all"}')
    moved = MOVED.get(name.split('.')[-1])
    if moved is not None:
        return (f'test_cfg has no number {name!r}: it is now a part of the '
                f'list model.online: {moved}')
    # A short name is as good as a whole one.
    places = {key: key for key in known}
    for key in known:
        places.setdefault(key.split('.')[-1], key)
    own = ', '.join(key for key in known if not key.startswith(PREFIX))
    text = (f'test_cfg has no number {name!r}; {_suggest(name, places)}it has '
            f'{own or "none at all"}')
    if parts:
        text += '; nor has model.online, which has ' + ', '.join(
            f'{part} ({", ".join(values)})' for part, values in parts.items())
    return text


def _suggest(name: str, places: Mapping[str, str]) -> str:
    """Name the nearest of some names, by its place."""
    near = difflib.get_close_matches(name, places, 1, _SIMILAR)
    return f'did you mean {places[near[0]]!r}? ' if near else ''
