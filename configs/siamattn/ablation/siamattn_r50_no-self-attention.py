# Ablation: cross-attention only.
_base_ = '../siamattn_r50_paper.py'

model = dict(siamese_neck=dict(self_attention=False))
