"""Numbers of the parts that learn from the video, in a model's ``online``."""
import inspect
import json
import numbers
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from siamattn_mm.models.task_modules import build_parts

# Of a number's place: 'online.CorrelationFilter.influence'.
PREFIX = 'online.'
Online = Optional[Sequence[Mapping[str, Any]]]
Number = Union[int, float]


class RefusedValueError(ValueError):
    """A part cannot have the numbers that it was given."""


def numbers_of_parts(online: Online) -> Dict[str, Dict[str, Number]]:
    """Find the numbers that parts can be given.

    Args:
        online (Sequence[dict], optional): Of a config's model.

    Returns:
        dict[str, dict[str, int | float]]: By part, then by argument: what the
        config says, or what the argument's default is. An int is one that has
        to stay whole: an argument that is not annotated as a float.
    """
    return {
        part.name: _numbers(config, type(part))
        for config, part in zip(online or (), build_parts(online))
    }


def with_numbers(online: Online,
                 values: Mapping[str, Number]) -> List[Dict[str, Any]]:
    """Change numbers of parts.

    Args:
        online (Sequence[dict], optional): Of a config's model; not changed.
        values (Mapping[str, int | float]): By place,
            ``'online.CorrelationFilter.influence'``. Parts that are not there
            are a ``KeyError``.

    Returns:
        list[dict]: The whole list.
    """
    configs = [dict(config) for config in online or ()]
    by_name = {
        part.name: config
        for part, config in zip(build_parts(online), configs)
    }
    for key, value in values.items():
        name, argument = split_key(key)
        by_name[name][argument] = value
    return configs


def without_numbers(online: Online,
                    keys: Sequence[str]) -> Optional[List[Dict[str, Any]]]:
    """Leave numbers out, to compare the rest.

    Args:
        online (Sequence[dict], optional): Of a config's model; not changed.
        keys (Sequence[str]): Their places.

    Returns:
        list[dict] | None: Of JSON values; None if there are no parts.
    """
    if not online:
        return None
    configs = with_numbers(online, {key: 0 for key in keys})
    names = [part.name for part in build_parts(online)]
    for key in keys:
        name, argument = split_key(key)
        del configs[names.index(name)][argument]
    return json.loads(json.dumps(configs, default=str))


def set_numbers(model: Any, online: Online,
                values: Mapping[str, Number]) -> None:
    """Give a built model's parts other numbers; all else stays as it is.

    A part is built anew, so that it checks its numbers and derives others
    from them. Sessions that are under way keep the old one.

    Args:
        model (SiamAttn): Was built from a config with this list.
        online (Sequence[dict], optional): Of the model's config.
        values (Mapping[str, int | float]): By place; the others are those of
            the config.

    Raises:
        RefusedValueError: If a part cannot have them.
    """
    names = {split_key(key)[0] for key in values}
    configs = with_numbers(online, values)
    parts = list(model.online)
    for index, (part, config) in enumerate(zip(model.online, configs)):
        if part.name in names:
            try:
                parts[index], = build_parts([config])
            except (ValueError, TypeError) as error:
                shown = ', '.join(
                    f'{key}={value:g}' for key, value in values.items()
                    if split_key(key)[0] == part.name)
                raise RefusedValueError(f'{shown}: {error}') from error
    model.online = tuple(parts)


def split_key(key: str) -> Tuple[str, str]:
    """Take a place apart.

    Args:
        key (str): ``'online.CorrelationFilter.influence'``.

    Returns:
        tuple[str, str]: Part and argument, ``''`` if that is missing.
    """
    rest = key[len(PREFIX):]
    name, dot, argument = rest.rpartition('.')
    return (name, argument) if dot else (rest, '')


def _numbers(config: Mapping[str, Any], part: type) -> Dict[str, Number]:
    arguments = inspect.signature(part).parameters
    values = {name: a.default for name, a in arguments.items()}
    values.update(config)
    found: Dict[str, Number] = {}
    for name, value in values.items():
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            continue
        annotation = (
            arguments[name].annotation if name in arguments else None)
        whole = isinstance(
            value, numbers.Integral) and 'float' not in str(annotation)
        found[name] = int(value) if whole else float(value)
    return found
