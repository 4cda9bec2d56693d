# UAV123. Its toolkit counts frames without the target as OTB's does.
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='UAV123TestDataset', data_root='data/uav123'))
test_evaluator = dict(absent_frames='otb')
