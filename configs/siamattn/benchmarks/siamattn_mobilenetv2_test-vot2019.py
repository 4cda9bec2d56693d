_base_ = [
    '../../_base_/models/siamattn_mobilenetv2.py',
    '../../_base_/datasets/vot2019_test.py'
]
