# ImageNet DET, still images; see docs/datasets.md.
imagenet_det_root = 'data/ILSVRC2015/'
imagenet_det_source = dict(
    type='ImageNetDETSource',
    data_root=imagenet_det_root,
    pairs_per_epoch=100000)
