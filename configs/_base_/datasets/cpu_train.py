# Training pairs that one CPU can learn from: short videos, annotated still
# images, and cut-outs moved over photographs.
#
# Where the data is can be said for each source, e.g.
#   --cfg-options train_dataloader.dataset.sources.video.data_root=/data/video
# and a source can be left out: train_dataloader.dataset.sources.fod=None
image_root = 'data/train_images/'
video_root = 'data/train_sequences/'

train_pipeline = [
    dict(
        type='SiamPairCrop',
        shift=(4, 64),
        scale=(0.05, 0.18),
        flip_prob=0.5),
    dict(type='PairColorJitter'),
    dict(type='PairGray', prob=0.15),
    dict(type='PairBlur', prob=(0.05, 0.25), sizes=(3, 25)),
    dict(type='PackSOTPair')
]

train_dataset = dict(
    type='SOTPairDataset',
    # 12,000 pairs an epoch: 55 % video, 25 % still images, 20 % synthetic.
    sources=dict(
        video=dict(
            type='SequenceFolderSource',
            data_root=video_root,
            frame_range=60,
            min_size=6,
            pairs_per_epoch=6600),
        coco=dict(
            type='CocoSource',
            data_root=image_root + 'coco128',
            max_share=0.5,
            pairs_per_epoch=1800),
        animals=dict(
            type='CocoSource',
            data_root=image_root + 'raccoon_kangaroo',
            max_share=0.4,
            pairs_per_epoch=600),
        # Photos of the same few tools: two of them are often one object.
        fod=dict(
            type='CocoSource',
            data_root=image_root + 'fod_tools',
            distinct_objects=False,
            pairs_per_epoch=600),
        synthetic=dict(
            type='SyntheticSource',
            data_root=image_root,
            cutouts=('coco128', 'caltech101_cutouts'),
            photos='photos',
            pairs_per_epoch=2400)),
    neg_prob=0.2,
    pipeline=train_pipeline)

train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='PairSampler'),
    collate_fn=dict(type='default_collate'),
    dataset=train_dataset)
