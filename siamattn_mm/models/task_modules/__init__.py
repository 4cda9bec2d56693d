from .anchor_generator import SiamAttnAnchorGenerator

__all__ = ['SiamAttnAnchorGenerator']
