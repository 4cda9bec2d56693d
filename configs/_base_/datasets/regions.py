# Regions of photographs without annotations; see docs/datasets.md.
regions_root = 'data/photos/'
regions_source = dict(type='RegionSource', data_root=regions_root)
