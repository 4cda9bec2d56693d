"""Which numbers of a model's ``test_cfg`` are searched, and setting them."""
import math
import numbers
from typing import Dict, List, Mapping, NamedTuple, Sequence

from siamattn_mm.models.sot import SiamAttn

DEFAULT_RANGES = dict(
    penalty_k=(0., 0.3), window_influence=(0.05, 0.7), lr=(0.1, 0.95))
# Where a name without a dot is looked for.
_GROUPS = ('rpn', 'refine')


class Parameter(NamedTuple):
    """One number of ``test_cfg`` and the range it is searched in.

    Attributes:
        key (str): Its place, ``'rpn.lr'``.
        low (float): Smallest value.
        high (float): Largest value.
        start (float): The config's own value; always within the range.
    """
    key: str
    low: float
    high: float
    start: float


def make_space(test_cfg: Mapping,
               ranges: Mapping[str, Sequence[float]]) -> List[Parameter]:
    """Find the parameters in a ``test_cfg``.

    Args:
        test_cfg (Mapping): Of the model.
        ranges (Mapping[str, Sequence[float]]): Lowest and highest value of
            each; keys like ``'rpn.lr'``, or ``'lr'``, which is looked for in
            ``rpn``, in ``refine``, then at the top. A range is widened to
            hold the value that ``test_cfg`` has.

    Returns:
        list[Parameter]: In the order given.

    Raises:
        ValueError: If there is no such number, one is given twice, or a range
            is none.
    """
    space: List[Parameter] = []
    for name, limits in ranges.items():
        key = _full_key(test_cfg, name)
        start = get_value(test_cfg, key)
        if len(limits) != 2 or not all(math.isfinite(v) for v in limits) or (
                not limits[0] < limits[1]):
            raise ValueError(f'the range of {name!r} must be two numbers, the '
                             f'lower one first, but it is {tuple(limits)}')
        if key in [parameter.key for parameter in space]:
            raise ValueError(f'{key!r} is given twice')
        space.append(
            Parameter(key, float(min(limits[0], start)),
                      float(max(limits[1], start)), start))
    if not space:
        raise ValueError('the search space is empty')
    return space


def get_value(test_cfg: Mapping, key: str) -> float:
    """A number of a ``test_cfg``.

    Args:
        test_cfg (Mapping): Of the model.
        key (str): Its place, ``'rpn.lr'``.

    Returns:
        float: The number.

    Raises:
        ValueError: If there is none.
    """
    value = test_cfg
    for part in key.split('.'):
        value = value.get(part) if isinstance(value, Mapping) else None
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise ValueError(
            f'test_cfg has no number {key!r}; it has '
            f'{", ".join(_numbers_in(test_cfg)) or "none at all"}')
    return float(value)


def set_values(model: SiamAttn, values: Mapping[str, float]) -> None:
    """Change numbers of a built model's ``test_cfg``.

    Args:
        model (SiamAttn): Its RPN head, which may have a copy of its part, is
            told as well.
        values (Mapping[str, float]): By place, ``'rpn.lr'``.
    """
    for key, value in values.items():
        *groups, name = key.split('.')
        holder = model.test_cfg
        for group in groups:
            holder = holder[group]
        holder[name] = value
        if groups == ['rpn']:
            model.head.test_cfg[name] = value


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


def _full_key(test_cfg: Mapping, name: str) -> str:
    if '.' not in name:
        for group in _GROUPS:
            if name in (test_cfg.get(group) or {}):
                return f'{group}.{name}'
    return name


def _numbers_in(tree: Mapping, prefix: str = '') -> List[str]:
    found = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found += _numbers_in(value, f'{prefix}{key}.')
        elif isinstance(value, numbers.Real) and not isinstance(value, bool):
            found.append(prefix + key)
    return found
