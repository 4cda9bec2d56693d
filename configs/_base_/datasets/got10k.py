# GOT-10k, training set; see docs/datasets.md.
got10k_root = 'data/got10k/'
got10k_source = dict(
    type='GOT10kSource',
    data_root=got10k_root,
    frame_range=30,
    pairs_per_epoch=150000)
