from .box_giou_loss import BoxGIoULoss
from .hard_pixel_bce_loss import HardPixelBCELoss
from .teacher_box_loss import TeacherBoxLoss

__all__ = ['BoxGIoULoss', 'HardPixelBCELoss', 'TeacherBoxLoss']
