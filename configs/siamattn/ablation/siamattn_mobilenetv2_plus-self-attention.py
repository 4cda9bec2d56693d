# Ablation on a CPU, step 4 of 6: step 3 with self-attention, and the neck's
# 3x3 conv, which is plain here.
_base_ = './siamattn_mobilenetv2_full.py'

model = dict(siamese_neck=dict(cross_attention=False, conv_cfg=None))
