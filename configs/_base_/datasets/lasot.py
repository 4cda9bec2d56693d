# LaSOT, training set; see docs/datasets.md.
lasot_root = 'data/lasot/LaSOTBenchmark/'
lasot_source = dict(
    type='LaSOTSource',
    data_root=lasot_root,
    frame_range=300,
    pairs_per_epoch=200000)
