# What the tests on benchmarks have in common. Some sequences of one only:
#   --cfg-options test_dataloader.dataset.sequences="['Deer', 'Car*']"
_base_ = '../default_runtime.py'

test_pipeline = [
    # Grey images become three equal channels; of more than 8 bits, as of
    # thermal cameras, one stretch a sequence keeps the contrast.
    dict(type='LoadFrame'),
    dict(type='LoadTrackAnnotations', with_instance_id=False),
    dict(
        type='PackTrackInputs',
        pack_single_img=True,
        meta_keys=('sequence_name', 'mask_path', 'object_id'))
]

# One worker decodes the next frames while the tracker works on this one.
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type='SequenceSampler'),
    dataset=dict(pipeline=test_pipeline, test_mode=True))
test_evaluator = dict(type='OPEMetric')
test_cfg = dict(type='TestLoop')
