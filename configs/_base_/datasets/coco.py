# COCO 2017, still images with masks; see docs/datasets.md.
coco_root = 'data/coco/'
coco_source = dict(
    type='CocoSource',
    data_root=coco_root,
    ann_file='annotations/instances_train2017.json',
    img_dir='train2017',
    # As many as there are annotated images.
    pairs_per_epoch=117266)
