from .box_giou_loss import BoxGIoULoss
from .hard_pixel_bce_loss import HardPixelBCELoss

__all__ = ['BoxGIoULoss', 'HardPixelBCELoss']
