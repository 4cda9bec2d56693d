# Cut-outs of annotated objects, moved over photographs; see
# docs/datasets.md.
synthetic_root = 'data/train_images/'
synthetic_source = dict(
    type='SyntheticSource',
    data_root=synthetic_root,
    cutouts=('coco128', 'caltech101_cutouts'),
    photos='photos',
    blur_prob=0.15)
