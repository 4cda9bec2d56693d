# TrackingNet, test set: the server evaluates.
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='TrackingNetTestDataset', data_root='data/trackingnet'))
test_evaluator = dict(format_only=True)
