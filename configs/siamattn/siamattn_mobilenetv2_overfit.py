# Learns eight pairs with masks by heart, in 300 steps: what cannot do that is
# broken. The log says refined_iou and mask_iou, which go beyond 0.9.
_base_ = './siamattn_mobilenetv2_cpu-10e.py'

# A sequence with masks for every pair.
sequences = [
    'davis-breakdance', 'davis-camel', 'davis-car-roundabout', 'davis-cows',
    'davis-dance-twirl', 'davis-goat', 'davis-parkour', 'davis-soapbox'
]

train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    sampler=dict(type='InfinitePairSampler', repeat_first_epoch=True),
    dataset=dict(
        neg_prob=0.,
        sources=dict(
            video=dict(pairs_per_epoch=8, sequences=sequences),
            coco=None,
            animals=None,
            fod=None,
            synthetic=None,
            regions=None)))

train_cfg = dict(
    _delete_=True, type='IterBasedTrainLoop', max_iters=300, val_interval=300)
val_cfg = None
val_dataloader = None
val_evaluator = None

param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=30),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        by_epoch=False,
        begin=0,
        end=300,
        T_max=300)
]
# Means over the last 25 steps.
log_processor = dict(by_epoch=False, window_size=25)
default_hooks = dict(
    logger=dict(interval=25, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=300, save_best=None))
custom_hooks = []
