"""Names of torchvision-style MobileNetV2 weights, in mmdet's / mmcls's."""
import re
from typing import Dict, Mapping

from torch import Tensor

from .checkpoint import CheckpointError

# Blocks of layer1..layer7.
_NUM_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
# Places in a block's Sequential; the first block has no expansion.
_FIRST = {
    '0': 'depthwise_conv.conv',
    '1': 'depthwise_conv.bn',
    '3': 'linear_conv.conv',
    '4': 'linear_conv.bn'
}
_OTHERS = {
    '0': 'expand_conv.conv',
    '1': 'expand_conv.bn',
    '3': 'depthwise_conv.conv',
    '4': 'depthwise_conv.bn',
    '6': 'linear_conv.conv',
    '7': 'linear_conv.bn'
}
_ENDS = {'0': 'conv1', '18': 'conv2'}
_CONV_NORM = {'0': 'conv', '1': 'bn'}


def _rename(name: str) -> str:
    match = re.fullmatch(r'features\.(\d+)\.([01])\.(\w+)', name)
    if match and match[1] in _ENDS:
        return f'{_ENDS[match[1]]}.{_CONV_NORM[match[2]]}.{match[3]}'
    match = re.fullmatch(r'features\.(\d+)\.conv\.(\d)\.(\w+)', name)
    if not match:
        raise KeyError(name)
    block = int(match[1]) - 1
    places = _FIRST if block == 0 else _OTHERS
    for layer, count in enumerate(_NUM_BLOCKS, 1):
        if block < count:
            return f'layer{layer}.{block}.{places[match[2]]}.{match[3]}'
        block -= count
    raise KeyError(name)


def convert_mobilenetv2(weights: Mapping[str, Tensor]) -> Dict[str, Tensor]:
    """Translate a MobileNetV2 backbone.

    Args:
        weights (Mapping[str, Tensor]): ``features.<i>.conv.<j>.*`` names,
            every layer of a block counted (conv, norm and activation).
            ``classifier.*`` is left out: a tracker does not classify.

    Returns:
        dict[str, Tensor]: mmdet's and mmcls's names (``layer1.0.*``...).

    Raises:
        CheckpointError: Naming every weight that has no place.
    """
    renamed, unknown = {}, []
    for name, value in weights.items():
        if name.startswith('classifier.'):
            continue
        try:
            renamed[_rename(name)] = value
        except KeyError:
            unknown.append(name)
    if unknown or not renamed:
        raise CheckpointError(
            'not MobileNetV2 weights of the expected layout; no place for: '
            f'{", ".join(unknown) or "(there are none)"}')
    return renamed
