from .siamattn import SiamAttn

__all__ = ['SiamAttn']
