# Still images of your own with a COCO-format file; see docs/datasets.md.
coco_json_root = 'data/stills/'
coco_json_source = dict(
    type='CocoSource',
    data_root=coco_json_root,
    ann_file='instances.json',
    img_dir='images')
