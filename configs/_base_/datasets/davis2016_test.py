# DAVIS 2016, validation set, one object a video.
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='DAVISTestDataset', data_root='data/davis', year=2016))
test_evaluator = [
    dict(type='OPEMetric', save_masks=True),
    dict(type='DAVISMetric')
]
