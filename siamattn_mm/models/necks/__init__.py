from .dsa_neck import DSANeck
from .identity import IdentitySiameseNeck
from .same_size_mapper import SameSizeChannelMapper

__all__ = ['DSANeck', 'IdentitySiameseNeck', 'SameSizeChannelMapper']
