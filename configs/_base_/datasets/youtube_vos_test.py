# YouTube-VOS, validation set: the server evaluates.
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='YouTubeVOSTestDataset', data_root='data/youtube_vos'))
test_evaluator = dict(format_only=True, save_masks=True)
