"""Parameter groups of equal settings, stepped as one."""
from typing import Any, Dict, List

from torch.optim import SGD, Adam, AdamW, Optimizer

from ..optimizers import DeviceAdamW, DeviceSGD

# Others may keep a state in their groups, where it would be lost.
STATELESS_GROUPS = (SGD, Adam, AdamW, DeviceAdamW, DeviceSGD)


def merged(groups: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Put groups of equal settings together.

    Args:
        groups (list[dict]): Of an optimizer.

    Returns:
        list[dict]: Fewer, each with the parameters of all that it stands for.
    """
    found: Dict[tuple, Dict[str, Any]] = {}
    for group in groups:
        key = tuple((name, _hashable(value)) for name, value in group.items()
                    if name != 'params')
        if key in found:
            found[key]['params'] += group['params']
        else:
            found[key] = dict(group, params=list(group['params']))
    return list(found.values())


def _hashable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_hashable(one) for one in value)
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


def merge_groups_in_steps(optimizer: Optimizer) -> None:
    """Let an optimizer step merged groups, from now on.

    Outside of its steps it has the groups that it was built with: schedules,
    logs and checkpoints see nothing of it.

    Args:
        optimizer (Optimizer): One that is not of ``STATELESS_GROUPS`` stays
            as it is. Calling it again changes nothing.
    """
    if (type(optimizer) not in STATELESS_GROUPS
            or getattr(optimizer, '_merges_groups', False)):
        return
    optimizer._merges_groups = True
    built: List[List[Dict[str, Any]]] = []

    def merge(optimizer: Optimizer, *unused: Any) -> None:
        built.append(optimizer.param_groups)
        optimizer.param_groups = merged(optimizer.param_groups)

    def restore(optimizer: Optimizer, *unused: Any) -> None:
        optimizer.param_groups = built.pop()

    optimizer.register_step_pre_hook(merge)
    optimizer.register_step_post_hook(restore)
