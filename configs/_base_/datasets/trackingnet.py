# TrackingNet, all training chunks that are there; see docs/datasets.md.
trackingnet_root = 'data/trackingnet/'
trackingnet_source = dict(
    type='TrackingNetSource',
    data_root=trackingnet_root,
    frame_range=100,
    pairs_per_epoch=200000)
