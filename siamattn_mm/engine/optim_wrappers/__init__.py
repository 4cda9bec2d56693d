from .amp_optim_wrapper import AnyDeviceAmpOptimWrapper
from .async_optim_wrapper import AsyncOptimWrapper

__all__ = ['AnyDeviceAmpOptimWrapper', 'AsyncOptimWrapper']
