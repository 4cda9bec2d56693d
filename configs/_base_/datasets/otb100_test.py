# OTB100. Its toolkit counts frames without the target in its own way.
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='OTB100TestDataset', data_root='data/otb100'))
test_evaluator = dict(absent_frames='otb')
