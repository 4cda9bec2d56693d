"""Which numbers of a model are searched, and setting them."""
import math
from typing import Dict, List, Mapping, NamedTuple, Sequence

from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.models.task_modules import build_parts

from .online_numbers import (
    PREFIX,
    Number,
    Online,
    numbers_of_parts,
    set_numbers,
    split_key,
    with_numbers,
)
from .places import all_numbers, full_key, missing

DEFAULT_RANGES = dict(
    penalty_k=(0., 0.3), window_influence=(0.05, 0.7), lr=(0.1, 0.95))


class Parameter(NamedTuple):
    """One number of a model and the range it is searched in.

    Attributes:
        key (str): Its place: ``'rpn.lr'`` in ``test_cfg``, or
            ``'online.CorrelationFilter.influence'`` in the list ``online``.
        low (float): Smallest value.
        high (float): Largest value.
        start (float): The config's own value; always within the range.
        whole (bool): Whether only whole numbers are tried; all of these
            are ints then. Defaults to False.
    """
    key: str
    low: float
    high: float
    start: float
    whole: bool = False


def make_space(test_cfg: Mapping,
               ranges: Mapping[str, Sequence[float]],
               online: Online = None) -> List[Parameter]:
    """Find the parameters in a ``test_cfg`` and in the parts that learn.

    Args:
        test_cfg (Mapping): Of the model.
        ranges (Mapping[str, Sequence[float]]): Lowest and highest value of
            each; keys like ``'rpn.lr'`` and
            ``'online.CorrelationFilter.influence'``, or ``'lr'``, which is
            looked for in ``rpn``, ``refine``, ``report``, at the top, then in
            all parts. A range is widened to hold the value that the model has.
        online (Sequence[dict], optional): Of the model. Defaults to None.

    Returns:
        list[Parameter]: In the order given.

    Raises:
        ValueError: If there is no such number (the nearest one is named),
            several parts have one of that name, one is given twice, a range
            is none, or a part refuses an end of it.
    """
    known = all_numbers(test_cfg, online)
    space: List[Parameter] = []
    for name, limits in ranges.items():
        key = full_key(known, name)
        start = get_value(test_cfg, key, online)
        if len(limits) != 2 or not all(math.isfinite(v) for v in limits) or (
                not limits[0] < limits[1]):
            raise ValueError(f'the range of {name!r} must be two numbers, the '
                             f'lower one first, but it is {tuple(limits)}')
        if key in [parameter.key for parameter in space]:
            raise ValueError(f'{key!r} is given twice')
        kind = float
        if key.startswith(PREFIX):
            kind = type(start)
            _check_limits(online, name, key, limits, kind)
        space.append(
            Parameter(key, kind(min(limits[0], start)),
                      kind(max(limits[1], start)), start, kind is int))
    if not space:
        raise ValueError('the search space is empty')
    return space


def get_value(test_cfg: Mapping, key: str, online: Online = None) -> Number:
    """A number of a model.

    Args:
        test_cfg (Mapping): Of the model.
        key (str): Its place, ``'rpn.lr'`` or
            ``'online.CorrelationFilter.influence'``.
        online (Sequence[dict], optional): Of the model. Defaults to None.

    Returns:
        float | int: The number; an int if it has to stay whole.

    Raises:
        ValueError: If there is none, naming the nearest one.
    """
    known = all_numbers(test_cfg, online)
    if key not in known:
        raise ValueError(missing(known, key, numbers_of_parts(online)))
    return known[key]


def set_values(model: SiamAttn, values: Mapping[str, Number],
               online: Online = None) -> None:
    """Change numbers of a built model, for the videos that follow.

    Args:
        model (SiamAttn): Its RPN head, which may have a copy of its part of
            ``test_cfg``, is told as well.
        values (Mapping[str, float]): By place, ``'rpn.lr'``. A part that
            learns from the video is built anew with those of its numbers that
            are given, and the config's others.
        online (Sequence[dict], optional): Of the model's config.
            Defaults to None.

    Raises:
        RefusedValueError: If a part cannot have its numbers.
    """
    of_parts = {}
    for key, value in values.items():
        if key.startswith(PREFIX):
            of_parts[key] = value
            continue
        *groups, name = key.split('.')
        holder = model.test_cfg
        for group in groups:
            holder = holder[group]
        holder[name] = value
        if groups == ['rpn']:
            model.head.test_cfg[name] = value
    if of_parts:
        set_numbers(model, online, of_parts)


def nested(values: Mapping[str, float]) -> Dict[str, dict]:
    """Values by place as nested dicts.

    Args:
        values (Mapping[str, float]): By place, ``'rpn.lr'``.

    Returns:
        dict: ``{'rpn': {'lr': ...}}``.
    """
    tree: Dict[str, dict] = {}
    for key, value in values.items():
        *groups, name = key.split('.')
        branch = tree
        for group in groups:
            branch = branch.setdefault(group, {})
        branch[name] = value
    return tree


def _check_limits(online: Online, name: str, key: str,
                  limits: Sequence[float], kind: type) -> None:
    """Refuse a range whose ends a part refuses."""
    for limit in limits:
        if kind(limit) != limit:
            raise ValueError(f'the range of {name!r} must be two whole '
                             f'numbers, as {split_key(key)[1]} is one, but it '
                             f'is {tuple(limits)}')
        try:
            build_parts(with_numbers(online, {key: kind(limit)}))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f'the range of {name!r} is too wide: {error}') from error
