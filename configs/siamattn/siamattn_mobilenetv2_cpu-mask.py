# Third stage: the mask head alone, from weights of
# ./siamattn_mobilenetv2_cpu-wide-end.py, on what has masks. Boxes stay what
# they are to the last bit.
_base_ = './siamattn_mobilenetv2_cpu-wide.py'

load_from = 'work_dirs/wide-end.pth'

model = dict(
    backbone=dict(init_cfg=None),
    head=dict(loss_teacher=None),
    frozen_modules=[
        'backbone', 'neck', 'siamese_neck', 'head', 'refine_head.box_fusion',
        'refine_head.box_head'
    ])

# Those of held_out that the names below would take.
without_held_out = [
    '!davis-camel', '!davis-drift-straight', '!davis-rhino',
    '!davis-scooter-gray', '!davis-soccerball', '!davis-surf',
    '!davis-tennis', '!davis-motorbike'
]

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
    dict(type='PairThermal', prob=0.05),
    dict(type='PairLowLight', prob=(0.04, 0.08)),
    dict(type='PairBlur', prob=(0.05, 0.2), sizes=(3, 15)),
    dict(type='PairJPEG', prob=(0.05, 0.1)),
    dict(type='PackSOTPair')
]
# 16,000 pairs an epoch: 47 % video, 45 % photographs, 8 % synthetic.
train_dataloader = dict(
    dataset=dict(
        neg_prob=0.,
        pairs_per_epoch=16000,
        pipeline=train_pipeline,
        sources=dict(
            video=dict(
                sequences=['davis-*'] + without_held_out,
                pairs_per_epoch=2600),
            more_video=dict(
                sequences=['cdnet-*', 'davis-*', 'seg-*', 'spb-*', 'zf-*'] +
                without_held_out,
                pairs_per_epoch=5400),
            floor=None,
            sky=None,
            animals=None,
            fod=None,
            regions=None,
            trashnet_boxes=None,
            synthetic=dict(pairs_per_epoch=1300))))

max_epochs = 2
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
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
