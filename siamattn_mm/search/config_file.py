"""The result of a search as a config that inherits."""
import os.path as osp
from typing import Mapping, Sequence

from siamattn_mm.utils import written_whole

from .space import nested


def write_config(path: str, base: str, values: Mapping[str, float],
                 comments: Sequence[str]) -> None:
    """Write a config that changes some numbers of another's ``test_cfg``.

    Args:
        path (str): The file, ``.py``; written whole or not at all.
        base (str): The config that it inherits from; named relative to
            ``path``'s folder.
        values (Mapping[str, float]): By place, ``'rpn.lr'``.
        comments (Sequence[str]): Lines that say where they are from.
    """
    folder = osp.dirname(osp.realpath(path))
    inherited = osp.relpath(osp.realpath(base), folder).replace(osp.sep, '/')
    lines = [f'# {line}' for line in comments]
    lines += [f'_base_ = [{inherited!r}]', '', 'model = dict(',
              '    test_cfg=dict(']
    lines += _assignments(nested(values), indent=8)
    with written_whole(path) as temporary:
        with open(temporary, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '))\n')


def _assignments(tree: Mapping, indent: int) -> Sequence[str]:
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
