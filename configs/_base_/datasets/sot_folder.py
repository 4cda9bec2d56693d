# Validation and test on a folder of sequences (GOT-10k / OTB layout). Another
# folder, or some of its sequences:
#   --cfg-options test_dataloader.dataset.data_root=PATH \
#       test_dataloader.dataset.sequences="['davis-*', 'Deer']"
# The values of 16-bit frames that become black and white, instead of those
# that the first frame of each sequence chooses:
#   --cfg-options test_dataloader.dataset.value_range="[7000, 8300]"
test_pipeline = [
    # Grey images become three equal channels; of more than 8 bits, as of
    # thermal cameras, one stretch a sequence keeps the contrast.
    dict(type='LoadFrame'),
    dict(type='LoadTrackAnnotations', with_instance_id=False),
    dict(
        type='PackTrackInputs',
        pack_single_img=True,
        meta_keys=('sequence_name', 'mask_path'))
]

# One worker decodes the next frames while the tracker works on this one.
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type='SequenceSampler'),
    dataset=dict(
        type='SOTFolderDataset',
        data_root='data/sequences',
        pipeline=test_pipeline,
        test_mode=True))
test_evaluator = dict(type='OPEMetric')
test_cfg = dict(type='TestLoop')

val_dataloader = test_dataloader
val_evaluator = test_evaluator
val_cfg = dict(type='ValLoop')
