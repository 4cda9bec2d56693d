# Trains the small model on a CPU. The backbone starts from ImageNet:
#   siamattn convert-mobilenetv2
_base_ = [
    './siamattn_mobilenetv2.py', '../_base_/datasets/cpu_train.py',
    '../_base_/schedules/adamw_cosine_cpu.py'
]

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/mobilenetv2_imagenet.pth')),
    head=dict(
        loss_iou=dict(
            type='BoxGIoULoss', reduction='sum', loss_weight=1.0)),
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

# Tracks these after each epoch; they are left out of training.
val_sequences = [
    'davis-camel', 'davis-drift-straight', 'fod-Pliers2', 'Subway',
    'uav-truck4-2'
]
train_dataloader = dict(
    dataset=dict(
        sources=dict(
            video=dict(sequences=['!' + name for name in val_sequences]))))
val_dataloader = dict(
    dataset=dict(data_root='data/train_sequences', sequences=val_sequences))

# Killed at any moment, `siamattn train --resume` ends with the same weights.
train_cfg = dict(type='ExactEpochTrainLoop')
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=50))

# What is saved is the average of the last steps.
custom_hooks = [
    dict(type='EMAHook', momentum=0.005, update_buffers=True),
    dict(type='FlushDenormalHook')
]
