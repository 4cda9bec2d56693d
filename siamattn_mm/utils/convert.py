"""Names of other code bases' weights, in this one's."""
import re
from typing import Callable, Dict, List, Mapping, NamedTuple, Tuple

from torch import Tensor

from .checkpoint import CheckpointError, state_dict_problems

# A depth-wise correlation block, and a conv with its norm.
_CORRELATION = {
    'conv_kernel.0': 'kernel_convs.conv',
    'conv_kernel.1': 'kernel_convs.bn',
    'conv_search.0': 'search_convs.conv',
    'conv_search.1': 'search_convs.bn',
    'head.0': 'head_convs.0.conv',
    'head.1': 'head_convs.0.bn',
    'head.3': 'head_convs.1.conv',
}
_CONV = {'conv': 'conv', 'BN256': 'bn'}
_BRANCH = {'cls': 'cls_heads', 'loc': 'reg_heads'}
_DOWNSAMPLE = {'0': 'conv', '1': 'bn'}

Rule = Tuple[str, Callable]


def _level(match_group: str) -> str:
    """Stages 2, 3, 4 are levels 0, 1, 2."""
    return str(int(match_group) - 2)


# Each pattern matches whole names; the function gives ours.
_PYSOT: List[Rule] = [
    (r'(backbone\..+)', lambda name: name),
    (r'neck\.downsample([234])\.downsample\.([01])\.(\w+)',
     lambda stage, layer, name:
     f'neck.convs.{_level(stage)}.{_DOWNSAMPLE[layer]}.{name}'),
    (r'rpn_head\.cls_weight', lambda: 'head.cls_weight'),
    (r'rpn_head\.loc_weight', lambda: 'head.reg_weight'),
    (r'rpn_head\.rpn([234])\.(cls|loc)\.(\w+\.\d)\.(\w+)',
     lambda stage, branch, layer, name:
     f'head.{_BRANCH[branch]}.{_level(stage)}.{_CORRELATION[layer]}.{name}'),
]

_SIAMATTN: List[Rule] = _PYSOT + [
    (r'feature_enhance\.pams\.(\d)\.gamma',
     lambda level: f'siamese_neck.levels.{level}.spatial.alpha'),
    (r'feature_enhance\.pams\.(\d)\.(\w+_conv\.\w+)',
     lambda level, name: f'siamese_neck.levels.{level}.spatial.{name}'),
    (r'feature_enhance\.cam_uses\.(\d)\.gamma',
     lambda level: f'siamese_neck.levels.{level}.gamma'),
    (r'feature_enhance\.deform_convs\.(\d)\.(.+)',
     lambda level, name: f'siamese_neck.levels.{level}.conv.{name}'),
    (r'feature_fusion\.lateral_convs\.(\d)\.(conv|BN256)\.(\w+)',
     lambda i, layer, name:
     f'refine_head.mask_fusion.lateral_convs.{i}.{_CONV[layer]}.{name}'),
    (r'feature_fusion\.convs\.(\d)\.(conv|BN256)\.(\w+)',
     lambda i, layer, name:
     f'refine_head.box_fusion.convs.{i}.{_CONV[layer]}.{name}'),
    (r'feature_fusion\.xcorr\.(\d)\.(\w+\.\d)\.(\w+)',
     lambda i, layer, name:
     f'refine_head.box_fusion.correlations.{i}.{_CORRELATION[layer]}.{name}'),
    (r'mask_head\.convs\.(\d)\.(conv|BN256)\.(\w+)',
     lambda i, layer, name:
     f'refine_head.mask_head.convs.{i}.{_CONV[layer]}.{name}'),
    (r'mask_head\.((?:conv_logits|upsample)\.\w+)',
     lambda name: f'refine_head.mask_head.{name}'),
    (r'mask_head\.roi_pool_m\.(.+)',
     lambda name: f'refine_head.mask_head.roi_layer.{name}'),
    (r'bbox_head\.tail_det\.(\d\.\w+)',
     lambda name: f'refine_head.box_head.shared_fcs.{name}'),
    (r'bbox_head\.tail_det_box\.(\w+)',
     lambda name: f'refine_head.box_head.fc_reg.{name}'),
    (r'bbox_head\.roi_pool_b\.(.+)',
     lambda name: f'refine_head.box_head.roi_layer.{name}'),
]

_MMTRACK: List[Rule] = [(r'((?:backbone|neck|head)\..+)', lambda name: name)]

RULES = dict(siamattn=_SIAMATTN, pysot=_PYSOT, mmtrack=_MMTRACK)
# Sources that only initialise: parts they do not have may stay untouched.
PARTIAL = ('pysot', 'mmtrack')


class Converted(NamedTuple):
    """Weights under our names.

    Attributes:
        state_dict (dict[str, Tensor]): By name.
        untouched (list[str]): Names of the model that the source, being
            another tracker, has nothing for.
    """
    state_dict: Dict[str, Tensor]
    untouched: List[str]


def rename(name: str, source: str) -> str:
    """Translate one name.

    Args:
        name (str): Of a weight, in the source's code base.
        source (str): ``'siamattn'``, ``'pysot'`` or ``'mmtrack'``.

    Returns:
        str: Ours.

    Raises:
        KeyError: If it has no place here.
    """
    for pattern, ours in RULES[source]:
        match = re.fullmatch(pattern, name)
        if match:
            try:
                return ours(*match.groups())
            except KeyError:
                break
    raise KeyError(name)


def convert(weights: Mapping[str, Tensor], source: str,
            expected: Mapping[str, Tensor]) -> Converted:
    """Translate a state dict, completely or not at all.

    Args:
        weights (Mapping[str, Tensor]): By the source's names.
        source (str): ``'siamattn'``: the released SiamAttn checkpoints,
            which must fill the whole model. ``'pysot'``: pysot's SiamRPN++
            with ResNet-50. ``'mmtrack'``: mmtrack's SiamRPN. The last two
            initialise backbone, neck and RPN head.
        expected (Mapping[str, Tensor]): The state dict of the model that the
            weights are for.

    Returns:
        Converted: All weights by our names, and what got none.

    Raises:
        CheckpointError: Naming every weight that has no place, has another
            shape or is missing.
    """
    if source not in RULES:
        raise CheckpointError(
            f'source must be one of {sorted(RULES)}, but got {source!r}')
    problems, renamed = [], {}
    for name, value in weights.items():
        try:
            renamed[rename(name, source)] = value
        except KeyError:
            problems.append(f'no place for: {name} {tuple(value.shape)}')
    found = state_dict_problems(expected, renamed)
    missing = [p for p in found if p.startswith('missing: ')]
    problems += [p for p in found if not p.startswith('missing: ')]
    untouched = []
    for line in missing:
        name = line.split()[1]
        if source in PARTIAL and not name.startswith(
            ('backbone.', 'neck.', 'head.')):
            untouched.append(name)
        else:
            problems.append(line)
    if problems:
        raise CheckpointError(
            f'{len(problems)} weights do not fit a {source} checkpoint and '
            'this config:\n  ' + '\n  '.join(problems))
    return Converted(renamed, untouched)
