"""Every part of SiamAttn with few channels: for fast tests, never trained."""
_base_ = [
    '../configs/_base_/models/siamattn_r50.py',
    '../configs/_base_/default_runtime.py'
]
_channels = 32
model = dict(
    # 8 channels in the stem and in stage 1, then 8, 16 and 24.
    backbone=dict(
        _delete_=True, type='SiamMobileNetV2', widen_factor=0.25),
    neck=dict(in_channels=[8, 16, 24], out_channels=_channels),
    siamese_neck=dict(in_channels=[_channels] * 3),
    head=dict(in_channels=[_channels] * 3),
    refine_head=dict(
        box_fusion=dict(in_channels=[_channels] * 3, out_channels=_channels),
        mask_fusion=dict(
            in_channels=[8, 8] + [_channels] * 3, out_channels=_channels),
        box_head=dict(
            in_channels=_channels,
            fc_channels=_channels,
            roi_layer=dict(fc_channels=_channels)),
        mask_head=dict(
            in_channels=_channels,
            conv_channels=_channels,
            roi_layer=dict(fc_channels=_channels))))
