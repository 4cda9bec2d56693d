_base_ = [
    '../../_base_/models/siamattn_r50.py',
    '../../_base_/datasets/vot2018_test.py'
]
