# YouTube-VOS, videos with masks; see docs/datasets.md.
youtube_vos_root = 'data/youtube_vos/'
youtube_vos_source = dict(
    type='YouTubeVOSSource',
    data_root=youtube_vos_root,
    frame_range=20,
    pairs_per_epoch=150000)
