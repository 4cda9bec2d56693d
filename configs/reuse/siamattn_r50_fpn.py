# SiamAttn with mmdet's FPN in place of the adjust neck.
_base_ = '../siamattn/siamattn_r50_paper.py'

model = dict(
    neck=dict(
        _delete_=True,
        type='mmdet.FPN',
        in_channels=[512, 1024, 2048],
        out_channels=256,
        num_outs=3,
        norm_cfg=dict(type='BN')))
