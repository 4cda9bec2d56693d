# Ablation on a CPU, step 6 of 6: all of the paper's parts, from ImageNet's
# backbone, which stays as it is. The other steps are this one without some.
_base_ = '../siamattn_mobilenetv2_cpu-wide.py'

# 450 steps, the rate down to nothing.
train_cfg = dict(max_epochs=1)
train_dataloader = dict(dataset=dict(pairs_per_epoch=14400))
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=60),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        by_epoch=True,
        begin=0,
        end=1,
        T_max=1,
        convert_to_iter_based=True)
]
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))
