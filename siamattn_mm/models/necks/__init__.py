from .dsa_neck import DSANeck
from .identity import IdentitySiameseNeck

__all__ = ['DSANeck', 'IdentitySiameseNeck']
