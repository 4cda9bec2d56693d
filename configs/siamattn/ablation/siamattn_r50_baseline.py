# Ablation: SiamRPN++ alone: the branches do not interact, nothing is refined.
_base_ = '../siamattn_r50_paper.py'

model = dict(
    siamese_neck=dict(_delete_=True, type='IdentitySiameseNeck'),
    refine_head=None)
