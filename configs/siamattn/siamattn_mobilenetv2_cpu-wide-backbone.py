# Second stage: the backbone's 1x1 convs learn, too, at a tenth of the rate.
# Its depth-wise convs and norms stay: their gradients would take as long as
# all others, and in bfloat16 they are wrong (docs/training.md).
_base_ = './siamattn_mobilenetv2_cpu-wide.py'

# From the first stage.
load_from = 'work_dirs/wide/latest.pth'

model = dict(
    backbone=dict(frozen_stages=2, init_cfg=None),
    frozen_modules=[
        f'backbone.layer{layer}.{block}.{part}'
        for layer, blocks in ((3, 3), (4, 4), (5, 3))
        for block in range(blocks)
        for part in ('depthwise_conv', 'expand_conv.bn', 'linear_conv.bn')
    ])

optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.1)}))
