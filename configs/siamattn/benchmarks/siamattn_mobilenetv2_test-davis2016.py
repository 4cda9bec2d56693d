_base_ = [
    '../../_base_/models/siamattn_mobilenetv2.py',
    '../../_base_/datasets/davis2016_test.py'
]
