"""What the paper's text and formulas say.

Where the released checkpoints differ from them, `siamattn_r50.py` has the
latter.
"""
_base_ = './siamattn_r50.py'

model = dict(
    siamese_neck=dict(channel_softmax='plain', share_gamma=False),
    head=dict(loss_bbox=dict(loss_weight=0.2)),
    refine_head=dict(
        mask_fusion=dict(in_channels=[64, 256, 256], source='correlation'),
        box_head=dict(
            roi_layer=dict(
                _delete_=True,
                type='DeformRoIPooling',
                output_size=4,
                spatial_scale=25 / 255)),
        mask_head=dict(
            roi_layer=dict(
                _delete_=True,
                type='DeformRoIPooling',
                output_size=16,
                spatial_scale=63 / 255)),
        loss_box=dict(loss_weight=0.2),
        loss_mask=dict(loss_weight=0.1)))
