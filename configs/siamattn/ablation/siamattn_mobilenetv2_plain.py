# Ablation on a CPU, step 1 of 6: the branches do not interact, and the
# proposal is the result. Step 6 is siamattn_mobilenetv2_full.py.
_base_ = './siamattn_mobilenetv2_full.py'

model = dict(
    siamese_neck=dict(_delete_=True, type='IdentitySiameseNeck'),
    refine_head=None)
