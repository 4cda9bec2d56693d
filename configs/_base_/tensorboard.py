# Curves and pictures for TensorBoard, beside the files. It takes the place of
# default_runtime.py in a list of bases; a config that inherits a whole config
# copies the two settings instead.
_base_ = './default_runtime.py'

vis_backends = [
    dict(type='LocalVisBackend'),
    dict(type='TensorboardVisBackend')
]
visualizer = dict(vis_backends=vis_backends)
