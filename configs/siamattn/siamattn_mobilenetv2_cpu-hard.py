# Stage g: as ./siamattn_mobilenetv2_cpu-wide-end.py, and half of what is not
# the target in a pair is what looks most like it to the network by now.
_base_ = './siamattn_mobilenetv2_cpu-wide-end.py'

load_from = 'work_dirs/wide-end.pth'

model = dict(train_cfg=dict(rpn=dict(sampler=dict(hard_fraction=0.5))))

# More pairs of two objects, and more of them from one image.
train_dataloader = dict(
    dataset=dict(neg_prob=0.25, hard_neg_prob=0.7, pairs_per_epoch=25600))

max_epochs = 2
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
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
