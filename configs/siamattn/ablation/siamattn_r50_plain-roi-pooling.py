# Ablation: RoIs are pooled without offsets.
_base_ = '../siamattn_r50_paper.py'

model = dict(
    refine_head=dict(
        box_head=dict(roi_layer=dict(deformable=False)),
        mask_head=dict(roi_layer=dict(deformable=False))))
