# Stage g: as ./siamattn_mobilenetv2_cpu-wide-end.py, and half of what is not
# the target in a pair is what looks most like it to the network by now.
_base_ = './siamattn_mobilenetv2_cpu-wide-end.py'

model = dict(
    refine_head=dict(loss_iou=dict(loss_weight=1.0)),
    train_cfg=dict(rpn=dict(sampler=dict(hard_fraction=0.5))))

# More pairs of two objects, and more of them from one image; 51,264 pairs in
# three epochs.
train_dataloader = dict(
    dataset=dict(neg_prob=0.25, hard_neg_prob=0.7, pairs_per_epoch=17088))
optim_wrapper = dict(optimizer=dict(lr=6e-4))
