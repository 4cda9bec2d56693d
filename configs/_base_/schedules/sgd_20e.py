# The paper's schedule: 20 epochs, the backbone at a tenth of the learning
# rate. It goes with a BackboneFreezeHook that freezes the backbone for the
# first ten, as in configs/siamattn/siamattn_r50_released_8xb28-20e_full.py.
# Resumes within an epoch, too, if `default_hooks.checkpoint.by_epoch=False`.
train_cfg = dict(type='ExactEpochTrainLoop', max_epochs=20, val_interval=1)

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=5e-3, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0, norm_type=2),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))

param_scheduler = [
    # Epochs 1 to 5: 1e-3, 2e-3, ..., 5e-3.
    dict(type='LinearLR', start_factor=0.2, begin=0, end=5),
    # Epochs 6 to 20: 5e-3 down to 5e-4, the same factor from each to the next.
    dict(type='ExponentialLR', gamma=0.1**(1 / 14), begin=5, end=20)
]

# Among several processes: frozen stages get no gradient in the first epochs.
find_unused_parameters = True

# Eight GPUs with 28 pairs each. With another number of pairs,
# `siamattn train --auto-scale-lr` keeps learning rate / pairs.
auto_scale_lr = dict(enable=False, base_batch_size=224)
