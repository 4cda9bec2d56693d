# Second stage: ends what siamattn_mobilenetv2_cpu-wide.py began, at a rate
# that goes down to nothing.
_base_ = './siamattn_mobilenetv2_cpu-wide.py'

load_from = 'work_dirs/wide.pth'
model = dict(backbone=dict(init_cfg=None))

max_epochs = 3
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=30),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,
        by_epoch=True,
        begin=0,
        end=max_epochs,
        T_max=max_epochs,
        convert_to_iter_based=True)
]
