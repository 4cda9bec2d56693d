# DAVIS 2017, validation set, one object after another.
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='DAVISTestDataset', data_root='data/davis', year=2017))
test_evaluator = [
    dict(type='OPEMetric', save_masks=True),
    dict(type='DAVISMetric')
]
