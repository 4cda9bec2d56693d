default_scope = 'mmtrack'
# Registers every part of siamattn_mm.
custom_imports = dict(imports=['siamattn_mm'], allow_failed_imports=False)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='TrackVisualizationHook', draw=False))

# Stops a test with another config's checkpoint; training is not concerned.
custom_hooks = [dict(type='CheckpointFitHook')]

# `dist_cfg` is for GPUs. Several processes on the CPU use gloo; the tools see
# to that, but the model's wrapper must be told not to look for a GPU:
#   --cfg-options model_wrapper_cfg.type=MMDistributedDataParallel \
#       model_wrapper_cfg.device_ids=None
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

# Not `deterministic=True`: bilinear resize has no deterministic backward on
# CUDA, so that training would stop with an error.
randomness = dict(seed=0)

vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(
    type='TrackLocalVisualizer', vis_backends=vis_backends, name='visualizer')

log_level = 'INFO'
load_from = None
resume = False
