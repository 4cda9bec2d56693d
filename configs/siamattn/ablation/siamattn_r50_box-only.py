# Ablation: the box is refined, there is no mask.
_base_ = '../siamattn_r50_paper.py'

model = dict(refine_head=dict(mask_fusion=None, mask_head=None))
