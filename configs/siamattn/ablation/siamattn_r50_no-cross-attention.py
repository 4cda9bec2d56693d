# Ablation: self-attention only.
_base_ = '../siamattn_r50_paper.py'

model = dict(siamese_neck=dict(cross_attention=False))
