# YouTube-BoundingBoxes; see docs/datasets.md.
youtube_bb_root = 'data/youtube_bb/'
youtube_bb_source = dict(
    type='YouTubeBBSource',
    data_root=youtube_bb_root,
    frame_range=3,
    pairs_per_epoch=200000)
