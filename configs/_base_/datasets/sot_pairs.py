# How training pairs are made, for 8 GPUs; which data sets they come from is
# said by the configs that inherit this one (siamattn_full.py).
train_pipeline = [
    # Largest shift in crop pixels and relative scale of template and search.
    dict(type='SiamPairCrop', shift=(4, 64), scale=(0.05, 0.18)),
    dict(type='PairColorJitter'),
    dict(type='PairBlur', prob=(0., 0.2)),
    dict(type='PackSOTPair')
]

train_dataloader = dict(
    batch_size=28,  # of each GPU
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='PairSampler'),
    collate_fn=dict(type='packed_collate'),
    dataset=dict(
        type='SOTPairDataset',
        sources=dict(),
        neg_prob=0.2,
        # Among so many images none is soon drawn again; but still images
        # give template and search crop both.
        cache_mb=16,
        pipeline=train_pipeline))
