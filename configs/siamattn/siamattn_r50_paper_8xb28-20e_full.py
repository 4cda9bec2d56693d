# Trains the paper's model as the paper does: 8 GPUs, five data sets, 600,000
# pairs an epoch.
_base_ = [
    './siamattn_r50_paper.py', '../_base_/datasets/siamattn_full.py',
    '../_base_/schedules/sgd_20e.py'
]

# Stem and stage 1 are never trained, stages 2 to 4 after ten epochs.
model = dict(
    backbone=dict(
        frozen_stages=1,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmtracking/'
            'pretrained_weights/sot_resnet50.model')))
default_hooks = dict(
    backbone=dict(type='BackboneFreezeHook', epochs=10, frozen_stages=4))

# Tracks after each epoch: a tenth of GOT-10k's validation sequences.
val_dataloader = dict(
    dataset=dict(data_root='data/got10k/val', sequences='*0'))
