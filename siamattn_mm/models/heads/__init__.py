from .correlation_fusion import CorrelationFusion
from .mask_detail_head import MaskDetailHead
from .mask_feature_fusion import MaskFeatureFusion
from .plugin_head import SiamAttnPluginHead
from .refine_box_head import RefineBoxHead
from .refine_mask_head import RefineMaskHead
from .refinement_head import RefinementHead
from .siamese_rpn_head import SiamAttnRPNHead

__all__ = [
    'CorrelationFusion', 'MaskDetailHead', 'MaskFeatureFusion',
    'RefineBoxHead', 'RefineMaskHead', 'RefinementHead',
    'SiamAttnPluginHead', 'SiamAttnRPNHead'
]
