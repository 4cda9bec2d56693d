from .hard_pixel_bce_loss import HardPixelBCELoss

__all__ = ['HardPixelBCELoss']
