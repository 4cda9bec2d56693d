# Ablation: a plain 3x3 conv behind the attention, not a deformable one.
_base_ = '../siamattn_r50_paper.py'

model = dict(siamese_neck=dict(conv_cfg=None))
