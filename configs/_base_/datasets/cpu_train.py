# Training pairs that one CPU can learn from: short videos, annotated still
# images, cut-outs moved over photographs, and regions of photographs.
#
# Where the data is can be said for each source, e.g.
#   --cfg-options train_dataloader.dataset.sources.video.data_root=/data/video
# and a source can be left out: train_dataloader.dataset.sources.fod=None
image_root = 'data/train_images/'
video_root = 'data/train_sequences/'

train_pipeline = [
    # Wider than SiamRPN++'s 64 and 0.18: with these the tracker found targets
    # and got their size wrong, once its own size was a quarter off.
    dict(
        type='SiamPairCrop',
        shift=(4, 80),
        scale=(0.05, 0.3),
        flip_prob=0.5),
    dict(type='PairColorJitter'),
    dict(type='PairGray', prob=0.15),
    dict(type='PairBlur', prob=(0.05, 0.25), sizes=(3, 25)),
    dict(type='PackSOTPair')
]

train_dataset = dict(
    type='SOTPairDataset',
    # 4,800 pairs an epoch: 55 % video, 23 % still images, 13 % synthetic, 9 %
    # regions.
    sources=dict(
        video=dict(
            type='SequenceFolderSource',
            data_root=video_root,
            frame_range=100,
            min_size=6,
            pairs_per_epoch=2640),
        coco=dict(
            type='CocoSource',
            data_root=image_root + 'coco128',
            max_share=0.5,
            pairs_per_epoch=720),
        animals=dict(
            type='CocoSource',
            data_root=image_root + 'raccoon_kangaroo',
            max_share=0.4,
            pairs_per_epoch=192),
        # Photos of the same few tools: two of them are often one object.
        fod=dict(
            type='CocoSource',
            data_root=image_root + 'fod_tools',
            distinct_objects=False,
            pairs_per_epoch=192),
        synthetic=dict(
            type='SyntheticSource',
            data_root=image_root,
            cutouts=('coco128', 'caltech101_cutouts'),
            photos='photos',
            pairs_per_epoch=624),
        regions=dict(
            type='RegionSource',
            data_root=image_root + 'photos',
            pairs_per_epoch=432)),
    neg_prob=0.2,
    pipeline=train_pipeline)

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='PairSampler'),
    collate_fn=dict(type='packed_collate'),
    dataset=train_dataset)
