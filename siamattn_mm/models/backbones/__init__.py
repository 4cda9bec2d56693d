from .siam_mobilenet_v2 import SiamMobileNetV2
from .siamattn_resnet import SiamAttnResNet

__all__ = ['SiamAttnResNet', 'SiamMobileNetV2']
