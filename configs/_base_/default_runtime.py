default_scope = 'mmtrack'
# Registers every part of siamattn_mm.
custom_imports = dict(imports=['siamattn_mm'], allow_failed_imports=False)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # The last three, and the one that tracked best while training.
    checkpoint=dict(
        type='WholeCheckpointHook',
        interval=1,
        max_keep_ckpts=3,
        save_best='sot/success',
        rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # Random numbers of a step depend on seed and step alone.
    iter_seed=dict(type='IterSeedHook'),
    # action='skip' leaves the step out and goes on.
    non_finite_loss=dict(type='NonFiniteLossHook', action='stop'),
    # Pictures of a batch with predictions; 0 draws none.
    train_images=dict(type='TrainBatchImageHook', interval=500),
    # A test that was killed goes on where it stopped:
    #   --cfg-options default_hooks.resume_test.resume=True
    resume_test=dict(type='ResumeTestHook', resume=False),
    visualization=dict(type='TrackVisualizationHook', draw=False))

# Means over the iterations since the last line. mmengine would average losses
# and times only, and over ten iterations.
log_processor = dict(
    type='LogProcessor',
    window_size=50,
    custom_cfg=[
        dict(data_src=name, method_name='mean', window_size=50)
        for name in ('proposal_iou', 'refined_iou', 'mask_iou')
    ])

# Stops a test with another config's checkpoint; training is not concerned.
custom_hooks = [dict(type='CheckpointFitHook')]

# `dist_cfg` is for GPUs. Several processes on the CPU use gloo; the tools see
# to that.
env_cfg = dict(
    # The sizes of the crops do not change. Where nothing may, such as between
    # two runs, set randomness.deterministic.
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

# Not `deterministic=True`: bilinear resize has no deterministic backward on
# CUDA, so that training would stop with an error.
randomness = dict(seed=0)

# TensorBoard too: `_base_` of configs/_base_/tensorboard.py.
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(
    type='TrackLocalVisualizer', vis_backends=vis_backends, name='visualizer')

log_level = 'INFO'
load_from = None
resume = False
