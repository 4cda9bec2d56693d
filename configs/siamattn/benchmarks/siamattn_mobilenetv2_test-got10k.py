_base_ = [
    '../../_base_/models/siamattn_mobilenetv2.py',
    '../../_base_/datasets/got10k_test.py'
]
