# Validation and test on synthetic videos with exact boxes and masks, made on
# the fly. Other material:
#   --cfg-options val_dataloader.dataset.data_root=PATH
test_pipeline = [
    # The data set makes the images.
    dict(type='LoadTrackAnnotations', with_mask=True),
    dict(
        type='PackTrackInputs',
        pack_single_img=True,
        meta_keys=('sequence_name', 'mask_path'))
]

test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type='VideoSampler'),
    dataset=dict(
        type='SyntheticSOTDataset',
        data_root='data/train_images/',
        num_sequences=10,
        length=100,
        pipeline=test_pipeline,
        test_mode=True))
test_evaluator = dict(type='OPEMetric')
test_cfg = dict(type='TestLoop')

val_dataloader = test_dataloader
val_evaluator = test_evaluator
val_cfg = dict(type='ValLoop')
