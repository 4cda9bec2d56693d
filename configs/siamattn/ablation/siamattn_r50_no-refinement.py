# Ablation: the proposal is the result; neither box nor mask is refined.
_base_ = '../siamattn_r50_paper.py'

model = dict(refine_head=None)
