# LaSOT, the 280 test sequences (protocol II).
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(
        type='LaSOTTestDataset',
        data_root='data/lasot/LaSOTBenchmark'))
