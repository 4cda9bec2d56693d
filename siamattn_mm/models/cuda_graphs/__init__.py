from .graphed_call import GraphedCall, record_on_cuda
from .graphed_runtime import GraphedRuntime

__all__ = ['GraphedCall', 'GraphedRuntime', 'record_on_cuda']
