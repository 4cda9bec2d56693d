# ImageNet VID; see docs/datasets.md.
imagenet_vid_root = 'data/ILSVRC2015/'
imagenet_vid_source = dict(
    type='ImageNetVIDSource',
    data_root=imagenet_vid_root,
    frame_range=100,
    pairs_per_epoch=150000)
