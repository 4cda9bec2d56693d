"""Memory of this process."""
import sys
from typing import Optional

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None


def _status(name: str) -> Optional[float]:
    """A line of Linux's ``/proc/self/status``, in MB."""
    try:
        with open('/proc/self/status', encoding='ascii') as file:
            for line in file:
                if line.startswith(f'{name}:'):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def rss_mb() -> float:
    """Memory in use now; where that is unknown, the peak.

    Returns:
        float: In MB (2**20 bytes).
    """
    value = _status('VmRSS')
    return peak_rss_mb() if value is None else value


def peak_rss_mb() -> float:
    """Most memory in use since the beginning, or :func:`reset_peak`.

    Returns:
        float: In MB (2**20 bytes); nan where the system does not say.
    """
    value = _status('VmHWM')
    if value is not None:
        return value
    if resource is None:
        return float('nan')
    unit = 2**20 if sys.platform == 'darwin' else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def reset_peak() -> bool:
    """Start measuring the peak again.

    Returns:
        bool: Whether this system can.
    """
    try:
        with open('/proc/self/clear_refs', 'w', encoding='ascii') as file:
            file.write('5')
    except OSError:
        return False
    return True


def gpu_peak_mb(device: torch.device) -> Optional[float]:
    """Most memory that PyTorch has taken of a GPU, what it keeps included.

    Args:
        device (torch.device): Any.

    Returns:
        float | None: In MB (2**20 bytes) since the beginning, or
        ``torch.cuda.reset_peak_memory_stats``; None of a CPU.
    """
    if device.type != 'cuda':
        return None
    return torch.cuda.max_memory_reserved(device) / 2**20
