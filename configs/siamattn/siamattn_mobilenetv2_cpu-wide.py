# Trains the small model on pictures of all kinds, with a teacher's boxes
# beside the annotations. First stage: the backbone stays ImageNet's. The model
# card has the stages and their commands.
#
# The teacher is NanoTrack v3 (Apache-2.0), whose two ONNX files are looked for
# in checkpoints/; it takes onnxruntime (requirements/deploy.txt).
_base_ = [
    './siamattn_mobilenetv2.py', '../_base_/datasets/wide_train.py',
    '../_base_/schedules/adamw_cosine_cpu.py'
]

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/mobilenetv2_imagenet.pth')),
    head=dict(
        loss_iou=dict(type='BoxGIoULoss', reduction='sum', loss_weight=1.0),
        loss_teacher=dict(type='TeacherBoxLoss', loss_weight=1.0)),
    # At full weight the refined box, whose deltas are divided by 0.1 and 0.2,
    # would be most of what the neck learns.
    refine_head=dict(
        loss_box=dict(loss_weight=0.25),
        loss_iou=dict(type='BoxGIoULoss', loss_weight=0.5)),
    train_cfg=dict(
        # Targets that are much larger or smaller than every anchor still get
        # the one that fits best.
        rpn=dict(assigner=dict(match_low_quality=True, min_pos_iou=0.3)),
        # Sixteen, as on a GPU, would take half of a step.
        refine=dict(num_rois=4)))

train_pipeline = [
    dict(
        type='SiamPairCrop',
        shift=(4, 80),
        scale=(0.05, 0.15),
        zoom=(1.05, 1.4),
        rotation=(8, 15),
        rotate_boxes=False,
        flip_prob=0.5),
    # Regions of photographs follow no outline; the teacher says what would be
    # followed there.
    dict(
        type='TeacherLabels',
        backbone='checkpoints/nanotrackv3_backbone.onnx',
        head='checkpoints/nanotrackv3_head.onnx',
        relabel=('regions', )),
    dict(type='SearchOccluder', prob=0.12),
    dict(type='PairColorJitter'),
    dict(type='PairGray', prob=0.12),
    dict(type='PairThermal', prob=0.08),
    dict(type='PairLowLight', prob=(0.04, 0.08)),
    dict(type='PairBlur', prob=(0.05, 0.25), sizes=(3, 25)),
    dict(type='PairJPEG', prob=(0.05, 0.1)),
    dict(type='PackSOTPair')
]
# 22,270 pairs an epoch.
train_dataloader = dict(
    dataset=dict(
        pipeline=train_pipeline,
        sources=dict(regions=dict(pairs_per_epoch=2600))))

# Killed at any moment, `siamattn train --resume` ends with the same weights.
train_cfg = dict(type='ExactEpochTrainLoop', max_epochs=4)
optim_wrapper = dict(optimizer=dict(lr=8e-4))
# Constant; siamattn_mobilenetv2_cpu-wide-end.py brings it down.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=100)
]
default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=200, max_keep_ckpts=6),
    logger=dict(interval=20))

# What is saved is the average of the last steps, of fewer at the start: the
# first weights are soon forgotten.
custom_hooks = [
    dict(
        type='EMAHook',
        ema_type='mmdet.ExpMomentumEMA',
        momentum=0.002,
        gamma=150,
        update_buffers=True),
    dict(type='FlushDenormalHook')
]
# siamattn evaluate-starts says more than one start of each sequence.
val_cfg = None
val_dataloader = None
val_evaluator = None
