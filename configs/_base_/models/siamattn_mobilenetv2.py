"""SiamAttn for a CPU: MobileNetV2 dilated to stride 8, narrow heads.

To go without the dilation, set `backbone.max_stride=16` and the neck's type
to `SameSizeChannelMapper`, which enlarges the deepest maps behind the 1x1
convs; that saves time, and boxes get coarser.
"""
_base_ = './siamattn_r50.py'

model = dict(
    # ImageNet's normalisation, which the backbone was trained with.
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True),
    backbone=dict(
        _delete_=True,
        type='SiamMobileNetV2',
        out_indices=(1, 3, 4),
        max_stride=8,
        frozen_stages=5,
        norm_eval=True),
    neck=dict(
        type='mmdet.ChannelMapper',
        in_channels=[64, 96],
        out_channels=64),
    # 1024 search positions: softmax(E) of the paper trains more easily from
    # scratch than the released checkpoints' softmax(max - E).
    siamese_neck=dict(
        in_channels=[64, 64],
        channel_softmax='plain',
        share_gamma=False,
        sub_sample=True),
    head=dict(in_channels=[64, 64]),
    refine_head=dict(
        box_fusion=dict(in_channels=[64, 64], out_channels=64),
        mask_fusion=dict(in_channels=[32, 24, 64, 64], out_channels=32),
        box_head=dict(
            in_channels=64,
            fc_channels=256,
            roi_layer=dict(
                _delete_=True,
                type='DeformRoIPooling',
                output_size=4,
                sampling_ratio=2,
                fc_channels=128,
                spatial_scale=25 / 255)),
        mask_head=dict(
            in_channels=32,
            conv_channels=32,
            roi_layer=dict(
                _delete_=True,
                type='DeformRoIPooling',
                output_size=16,
                sampling_ratio=1,
                fc_channels=128,
                spatial_scale=63 / 255))),
    # What learns from the video, each line for itself. The network knows few
    # kinds of targets: each part shows it this one.
    online=[
        # What the first frame shows of a bias of its boxes is taken off.
        dict(type='BoxCalibration', share=0.5),
        # Has a say in which proposal it is. More than half, and what it loses
        # outweighs what it keeps.
        dict(
            type='CorrelationFilter', levels=(0, 1), influence=0.45),
        # How large such things are is learnt in the first frame.
        dict(type='RidgeBoxRegressor', levels=(0, 1)),
        # A hidden target is not the next thing that looks like it.
        dict(type='DistractorAssociation'),
        # What scores too little is not followed; lost, and found again.
        dict(type='TargetPresence', hold_score=0.1, recover_score=0.95)
    ],
    # 16x16 template maps, of which the 8x8 centre correlates to 25x25.
    # Boxes are averages of the anchors that agree, then refined. The numbers
    # were chosen on the held-out sequences of ../datasets/wide_train.py.
    test_cfg=dict(
        center_size=8,
        # As training pairs are cut.
        exact_crop=True,
        rpn=dict(window_influence=0.2, vote_iou=0.6),
        refine=dict(mask_thr=0.5),
        # Three guesses and the mask's box: better than each.
        report=dict(
            shares=(1 / 3, 1 / 3, 1 / 3),
            lr=1.,
            mask_share=0.4,
            mask_iou=0.5)))
