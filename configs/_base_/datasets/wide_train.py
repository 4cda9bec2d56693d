# Training pairs of all kinds of pictures: short videos, photographs with boxes
# and masks, cut-outs moved over photographs, and regions of photographs, with
# what cameras and compression do to them.
#
# Where the data is can be said for each source, e.g.
#   --cfg-options train_dataloader.dataset.sources.video.data_root=/data/video
# and a source can be left out: train_dataloader.dataset.sources.sky=None
image_root = 'data/train_images/'
stills_root = 'data/train_stills/'
video_root = 'data/train_sequences/'
more_video_root = 'data/train_videos/'

train_pipeline = [
    # A tracker meets its own errors of place and size, and targets that grow.
    dict(
        type='SiamPairCrop',
        shift=(4, 80),
        scale=(0.05, 0.15),
        zoom=(1.05, 1.4),
        rotation=(8, 15),
        rotate_boxes=False,
        flip_prob=0.5),
    dict(type='SearchOccluder', prob=0.12),
    dict(type='PairColorJitter'),
    dict(type='PairGray', prob=0.12),
    dict(type='PairThermal', prob=0.08),
    dict(type='PairLowLight', prob=(0.04, 0.08)),
    dict(type='PairBlur', prob=(0.05, 0.25), sizes=(3, 25)),
    dict(type='PairJPEG', prob=(0.05, 0.1)),
    dict(type='PackSOTPair')
]

# What weights and settings are chosen on; never trained on.
held_out = [
    'davis-camel', 'davis-drift-straight', 'fod-Pliers2', 'Subway',
    'uav-truck4-2', 'davis-rhino', 'davis-scooter-gray', 'davis-soccerball',
    'davis-surf', 'davis-tennis', 'davis-motorbike', 'davis17-schoolgirls-a',
    'davis17-schoolgirls-b', 'uav-car16-1', 'uav-car16-2', 'uavdt-S1301',
    'tc-KiteSurf', 'mil-sylv', 'mil-sylv-b', 'otb-Car1', 'wtrack-cam3',
    'wtrack-cam3b', 'ddd-v-helicopter-025', 'ddd-ir-helicopter-053'
]
without_held_out = ['!' + name for name in held_out]

# Pairs an epoch of each set of photographs.
stills = dict(
    sysu_shape=700,
    endangered_animals=900,
    coco_more=1900,
    people_masks=350,
    pets=300,
    clothing=500,
    feral_cats=400,
    waste_bottles=400,
    trashnet_boxes=150,
    car_parts=350,
    balloon=200,
    mugs=100,
    mandarins=120,
    food=150)

train_dataset = dict(
    type='SOTPairDataset',
    # 20,970 pairs an epoch: 50 % video, 40 % photographs, 4 % synthetic, 6 %
    # regions.
    sources=dict(
        video=dict(
            type='SequenceFolderSource',
            data_root=video_root,
            sequences=without_held_out + ['!fod-*'],
            frame_range=100,
            min_size=6,
            pairs_per_epoch=4600),
        # Small things on plain floors, twelve times.
        floor=dict(
            type='SequenceFolderSource',
            data_root=video_root,
            sequences=['fod-*'] + without_held_out,
            frame_range=100,
            min_size=6,
            pairs_per_epoch=300),
        more_video=dict(
            type='SequenceFolderSource',
            data_root=more_video_root,
            sequences=without_held_out + ['!ddd-*'],
            frame_range=100,
            min_size=6,
            pairs_per_epoch=4600),
        # Half of the sequences are aircraft in the sky.
        sky=dict(
            type='SequenceFolderSource',
            data_root=more_video_root,
            sequences=['ddd-*'] + without_held_out,
            frame_range=100,
            min_size=6,
            pairs_per_epoch=900),
        coco=dict(
            type='CocoSource',
            data_root=image_root + 'coco128',
            max_share=0.6,
            pairs_per_epoch=1400),
        animals=dict(
            type='CocoSource',
            data_root=image_root + 'raccoon_kangaroo',
            max_share=0.6,
            pairs_per_epoch=250),
        # Photos of the same few tools: two of them are often one object.
        fod=dict(
            type='CocoSource',
            data_root=image_root + 'fod_tools',
            distinct_objects=False,
            pairs_per_epoch=200),
        synthetic=dict(
            type='SyntheticSource',
            data_root=image_root,
            cutouts=('coco128', 'caltech101_cutouts'),
            photos='photos',
            pairs_per_epoch=900),
        regions=dict(
            type='RegionSource',
            data_root=image_root + 'photos',
            pairs_per_epoch=1300),
        **{
            name: dict(
                type='CocoSource',
                data_root=stills_root + name,
                max_share=0.6,
                pairs_per_epoch=pairs)
            for name, pairs in stills.items()
        }),
    neg_prob=0.2,
    pipeline=train_pipeline)

train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='PairSampler'),
    collate_fn=dict(type='packed_collate'),
    dataset=train_dataset)
