# Ablation on a CPU, step 3 of 6: step 2 with a mask.
_base_ = './siamattn_mobilenetv2_full.py'

model = dict(siamese_neck=dict(_delete_=True, type='IdentitySiameseNeck'))
