from .device_optimizers import DeviceAdamW, DeviceSGD

__all__ = ['DeviceAdamW', 'DeviceSGD']
