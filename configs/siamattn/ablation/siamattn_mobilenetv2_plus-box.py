# Ablation on a CPU, step 2 of 6: step 1 with a refined box.
_base_ = './siamattn_mobilenetv2_full.py'

model = dict(
    siamese_neck=dict(_delete_=True, type='IdentitySiameseNeck'),
    refine_head=dict(mask_fusion=None, mask_head=None))
