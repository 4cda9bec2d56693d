"""The result of a search as a config that inherits."""
import keyword
import os.path as osp
from typing import Any, List, Mapping, Sequence

from mmengine.config import Config

from siamattn_mm.utils import written_whole

from .online_numbers import PREFIX, Number, with_numbers
from .space import nested

MAX_COLUMNS = 79


def write_config(path: str, base: str, values: Mapping[str, Number],
                 comments: Sequence[str]) -> None:
    """Write a config that changes some numbers of another's model.

    Args:
        path (str): The file, ``.py``; written whole or not at all.
        base (str): The config that it inherits from; named relative to
            ``path``'s folder.
        values (Mapping[str, float]): By place: ``'rpn.lr'`` in ``test_cfg``,
            or ``'online.CorrelationFilter.influence'``. With one of the
            latter the whole list ``online`` is written: an inheriting config
            cannot change an item of a list.
        comments (Sequence[str]): Lines that say where they are from.
    """
    folder = osp.dirname(osp.realpath(path))
    inherited = osp.relpath(osp.realpath(base), folder).replace(osp.sep, '/')
    of_parts = {k: v for k, v in values.items() if k.startswith(PREFIX)}
    of_test_cfg = {k: v for k, v in values.items() if k not in of_parts}
    blocks = []
    if of_parts:
        online = Config.fromfile(base).to_dict()['model'].get('online')
        blocks.append(_online_lines(with_numbers(online, of_parts)))
    if of_test_cfg:
        lines = ['    test_cfg=dict(']
        lines += _assignments(nested(of_test_cfg), indent=8)
        lines[-1] += ')'
        blocks.append(lines)
    for block in blocks[:-1]:
        block[-1] += ','
    lines = [f'# {line}' for line in comments]
    lines += [f'_base_ = [{inherited!r}]', '', 'model = dict(']
    lines += [line for block in blocks for line in block]
    with written_whole(path) as temporary:
        with open(temporary, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + ')\n')


def _online_lines(online: Sequence[Mapping[str, Any]]) -> List[str]:
    lines = ['    # The whole list: an item alone cannot be inherited.',
             '    online=[']
    for config in online:
        lines += _part_lines(config)
    return lines + ['    ]']


def _part_lines(config: Mapping[str, Any]) -> List[str]:
    pad = ' ' * 8
    if not all(
            key.isidentifier() and not keyword.iskeyword(key)
            for key in config):
        return [f'{pad}{dict(config)!r},']
    arguments = [f'{key}={value!r}' for key, value in config.items()]
    line = f'{pad}dict({", ".join(arguments)}),'
    if len(line) <= MAX_COLUMNS:
        return [line]
    return [f'{pad}dict('] + [f'{pad}    {each},' for each in arguments] + [
        f'{pad}),']


def _assignments(tree: Mapping, indent: int) -> List[str]:
    lines = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            inner = ', '.join(_assignments(value, 0))
            lines.append(f'{key}=dict({inner})')
        else:
            lines.append(f'{key}={value!r}')
    if not indent:
        return lines
    pad = ' ' * indent
    return [
        pad + line + (',' if i + 1 < len(lines) else '')
        for i, line in enumerate(lines)
    ]
