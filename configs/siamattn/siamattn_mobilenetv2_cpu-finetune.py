# Goes on from weights of ./siamattn_mobilenetv2_cpu-10e.py, with more objects:
# clip art moved over photographs. Made once from Debian's public-domain
# package openclipart-png:
#   python tools/make_cutouts.py /usr/share/openclipart/png data/openclipart
# A step takes 0.62 of the time with --amp on CPUs that multiply bfloat16.
_base_ = './siamattn_mobilenetv2_cpu-10e.py'

load_from = 'siamattn_mm/weights/siamattn_mobilenetv2.pth'

# What a user calls the target is not always what annotators would: half of the
# pairs are of another piece of it.
train_pipeline = [
    dict(type='PairBoxJitter', prob=0.5),
    dict(
        type='SiamPairCrop',
        shift=(4, 80),
        scale=(0.05, 0.35),
        flip_prob=0.5),
    dict(type='PairColorJitter'),
    dict(type='PairGray', prob=0.15),
    dict(type='PairBlur', prob=(0.05, 0.25), sizes=(3, 25)),
    dict(type='PackSOTPair')
]

# 4,800 pairs an epoch: 45 % video, 22 % still images, 24 % synthetic, 9 %
# regions.
train_dataloader = dict(
    dataset=dict(
        pipeline=train_pipeline,
        sources=dict(
            video=dict(pairs_per_epoch=2160),
            fod=dict(pairs_per_epoch=144),
            clipart=dict(
                type='SyntheticSource',
                data_root='data',
                cutouts=('openclipart', ),
                photos='train_images/photos',
                pairs_per_epoch=528))))

max_epochs = 8
train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=60),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        by_epoch=True,
        begin=0,
        end=max_epochs,
        T_max=max_epochs,
        convert_to_iter_based=True)
]
