"""SiamAttn with the atrous ResNet-50, profile `released`.

What it shares with SiamRPN++ is in the base: neck, RPN, its training.
"""
_base_ = './siamrpn_r50.py'

model = dict(
    type='SiamAttn',
    # Crops are BGR in 0..255: no mean, no std.
    data_preprocessor=dict(type='SOTDataPreprocessor'),
    # Stem and stage 1 are outputs too.
    backbone=dict(type='SiamAttnResNet', out_indices=(0, 1, 2, 3)),
    siamese_neck=dict(
        type='DSANeck',
        in_channels=[256, 256, 256],
        channel_softmax='inverted',
        share_gamma=True),
    head=dict(
        type='SiamAttnRPNHead',
        anchor_generator=dict(type='SiamAttnAnchorGenerator')),
    refine_head=dict(
        type='RefinementHead',
        box_fusion=dict(type='CorrelationFusion', in_channels=[256, 256, 256]),
        mask_fusion=dict(
            type='MaskFeatureFusion',
            in_channels=[64, 256, 256, 256, 256],
            source='search'),
        box_head=dict(
            type='RefineBoxHead',
            roi_layer=dict(
                type='DeformPSRoIPooling',
                output_size=4,
                spatial_scale=25 / 255)),
        mask_head=dict(
            type='RefineMaskHead',
            roi_layer=dict(
                type='DeformPSRoIPooling',
                output_size=16,
                spatial_scale=63 / 255)),
        loss_box=dict(type='mmdet.SmoothL1Loss', loss_weight=1.0),
        loss_mask=dict(
            type='HardPixelBCELoss', hard_ratio=0.7, loss_weight=0.4)),
    train_cfg=dict(
        rpn=dict(sampler=dict(type='SiamAttnSampler')),
        refine=dict(num_rois=16, pos_iou_thr=0.5)),
    test_cfg=dict(
        rpn=dict(penalty_k=0.04, window_influence=0.44, lr=0.4),
        refine=dict(mask_thr=0.3, min_contour_area=100)))
