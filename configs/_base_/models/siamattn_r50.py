"""SiamAttn with the atrous ResNet-50, profile `released`."""
model = dict(
    type='SiamAttn',
    # Crops are BGR in 0..255: no mean, no std.
    data_preprocessor=dict(type='SOTDataPreprocessor'),
    backbone=dict(
        type='SiamAttnResNet',
        depth=50,
        frozen_stages=4,
        norm_eval=True),
    neck=dict(
        type='mmdet.ChannelMapper',
        in_channels=[512, 1024, 2048],
        out_channels=256,
        kernel_size=1,
        norm_cfg=dict(type='BN'),
        act_cfg=None),
    siamese_neck=dict(
        type='DSANeck',
        in_channels=[256, 256, 256],
        channel_softmax='inverted',
        share_gamma=True),
    head=dict(
        type='SiamAttnRPNHead',
        anchor_generator=dict(
            type='SiamAttnAnchorGenerator',
            strides=[8],
            ratios=[0.33, 0.5, 1, 2, 3],
            scales=[8]),
        in_channels=[256, 256, 256],
        loss_cls=dict(
            type='mmdet.CrossEntropyLoss', reduction='sum', loss_weight=1.0),
        loss_bbox=dict(type='mmdet.L1Loss', reduction='sum',
                       loss_weight=1.2)),
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
        rpn=dict(
            assigner=dict(
                type='mmdet.MaxIoUAssigner',
                pos_iou_thr=0.6,
                neg_iou_thr=0.3,
                min_pos_iou=0.6,
                match_low_quality=False,
                iou_calculator=dict(type='mmdet.BboxOverlaps2D')),
            sampler=dict(
                type='SiamAttnSampler',
                num=64,
                pos_fraction=0.25,
                add_gt_as_proposals=False),
            num_neg=16,
            exemplar_size=127,
            search_size=255),
        refine=dict(num_rois=16, pos_iou_thr=0.5)),
    test_cfg=dict(
        exemplar_size=127,
        search_size=255,
        context_amount=0.5,
        center_size=7,
        rpn=dict(penalty_k=0.04, window_influence=0.44, lr=0.4),
        refine=dict(mask_thr=0.3, min_contour_area=100)))
