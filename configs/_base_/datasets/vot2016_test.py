# VOT2016, supervised: restart after failures, rotated boxes.
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='VOTTestDataset', data_root='data/vot2016'))
test_evaluator = dict(
    _delete_=True, type='VOTSupervisedMetric', interval=2016)
test_cfg = dict(type='VOTSupervisedLoop')
