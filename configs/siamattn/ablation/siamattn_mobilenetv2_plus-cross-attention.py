# Ablation on a CPU, step 5 of 6: step 4 with cross-attention. Only the neck's
# deformable conv is missing for the whole.
_base_ = './siamattn_mobilenetv2_full.py'

model = dict(siamese_neck=dict(conv_cfg=None))
