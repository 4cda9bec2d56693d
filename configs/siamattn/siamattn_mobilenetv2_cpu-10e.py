# Trains the small model on a CPU. The backbone starts from ImageNet:
#   python tools/convert_mobilenetv2.py
_base_ = [
    './siamattn_mobilenetv2.py', '../_base_/datasets/cpu_train.py',
    '../_base_/schedules/adamw_cosine_cpu.py'
]

model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/mobilenetv2_imagenet.pth')),
    # Sixteen, as on a GPU, would take half of a step.
    train_cfg=dict(refine=dict(num_rois=4)))

# Tracking while training is for later: the sets above hold no validation set.
val_cfg = None
val_dataloader = None
val_evaluator = None

# What is saved is the average of the last steps.
custom_hooks = [
    dict(type='EMAHook', momentum=0.005, update_buffers=True)
]
