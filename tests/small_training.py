"""Training of the tiny model on two short sequences: for tests.

    --cfg-options train_dataloader.dataset.sources.video.data_root=...
"""
_base_ = [
    './small_model.py', '../configs/_base_/schedules/adamw_cosine_cpu.py'
]

model = dict(train_cfg=dict(refine=dict(num_rois=2)))

train_cfg = dict(type='ExactEpochTrainLoop')
train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='PairSampler'),
    collate_fn=dict(type='packed_collate'),
    dataset=dict(
        type='SOTPairDataset',
        sources=dict(
            video=dict(
                type='SequenceFolderSource',
                data_root='',
                # Five iterations an epoch.
                pairs_per_epoch=10)),
        neg_prob=0.3,
        pipeline=[
            dict(
                type='SiamPairCrop',
                shift=(4, 64),
                scale=(0.05, 0.18),
                flip_prob=0.5),
            dict(type='PairColorJitter'),
            dict(type='PackSOTPair')
        ]))

default_hooks = dict(logger=dict(interval=1), train_images=dict(interval=0))
custom_hooks = [dict(type='EMAHook', momentum=0.05, update_buffers=True)]
