# GOT-10k, test set: the server evaluates. The validation set, with AO and SR
# as its toolkit has them:
#   --cfg-options test_dataloader.dataset.split=val \
#       test_evaluator.format_only=False
_base_ = './benchmark_test.py'

test_dataloader = dict(
    dataset=dict(type='GOT10kTestDataset', data_root='data/got10k'))
test_evaluator = dict(format_only=True, ao='got10k')
