_base_ = [
    '../../_base_/models/siamattn_r50.py',
    '../../_base_/datasets/davis2016_test.py'
]
