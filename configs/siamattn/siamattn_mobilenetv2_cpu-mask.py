# Goes on with the mask head alone, from weights of
# ./siamattn_mobilenetv2_cpu-10e.py: boxes stay what they are to the last bit.
# Training all of it for longer gives better masks as well, but boxes that are
# no better on what it was not trained on; see the model card. Clip art is made
# once, from Debian's public-domain package openclipart-png:
#   siamattn make-cutouts /usr/share/openclipart/png data/openclipart
# A step takes 0.62 of the time with --amp on CPUs that multiply bfloat16.
_base_ = './siamattn_mobilenetv2_cpu-10e.py'

load_from = 'siamattn_mm/weights/siamattn_mobilenetv2.pth'

model = dict(frozen_modules=[
    'backbone', 'neck', 'siamese_neck', 'head', 'refine_head.box_fusion',
    'refine_head.box_head'
])

# 4,800 pairs an epoch, of what has masks: 33 % video, 25 % still images, 42 %
# synthetic.
train_dataloader = dict(
    dataset=dict(
        neg_prob=0.,
        sources=dict(
            video=dict(
                sequences=[
                    'davis-*', '!davis-camel', '!davis-drift-straight'
                ],
                pairs_per_epoch=1600),
            coco=dict(pairs_per_epoch=1200),
            synthetic=dict(pairs_per_epoch=1000),
            clipart=dict(
                type='SyntheticSource',
                data_root='data',
                cutouts=('openclipart', ),
                photos='train_images/photos',
                pairs_per_epoch=1000),
            animals=None,
            fod=None,
            regions=None)))

max_epochs = 6
train_cfg = dict(max_epochs=max_epochs)
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
