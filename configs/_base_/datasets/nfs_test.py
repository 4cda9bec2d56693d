# NfS, 30 frames a second.
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='NfSTestDataset', data_root='data/nfs'))
