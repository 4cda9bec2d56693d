# Fourth stage: both refinement heads, box and mask, from weights of
# ./siamattn_mobilenetv2_cpu-mask.py. Proposals and their scores stay what they
# are to the last bit, and with them what is followed.
_base_ = './siamattn_mobilenetv2_cpu-wide-end.py'

load_from = 'work_dirs/mask.pth'

model = dict(
    head=dict(loss_teacher=None),
    refine_head=dict(
        loss_box=dict(loss_weight=0.5), loss_iou=dict(loss_weight=1.0)),
    train_cfg=dict(refine=dict(num_rois=8)),
    frozen_modules=['backbone', 'neck', 'siamese_neck', 'head'])

train_pipeline = [
    dict(
        type='SiamPairCrop',
        shift=(4, 64),
        scale=(0.05, 0.15),
        zoom=(1.05, 1.3),
        rotation=(8, 15),
        rotate_boxes=False,
        flip_prob=0.5),
    dict(type='SearchOccluder', prob=0.12),
    dict(type='PairColorJitter'),
    dict(type='PairGray', prob=0.12),
    dict(type='PairThermal', prob=0.08),
    dict(type='PairLowLight', prob=(0.04, 0.08)),
    dict(type='PairBlur', prob=(0.05, 0.25), sizes=(3, 25)),
    dict(type='PairJPEG', prob=(0.05, 0.1)),
    dict(type='PackSOTPair')
]
train_dataloader = dict(
    dataset=dict(
        neg_prob=0.,
        # 35,232 in three epochs.
        pairs_per_epoch=11744,
        pipeline=train_pipeline,
        # A teacher says where these end; nobody's masks do.
        sources=dict(regions=None)))

optim_wrapper = dict(optimizer=dict(lr=1e-3))
