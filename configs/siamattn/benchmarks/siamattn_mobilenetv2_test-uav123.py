_base_ = [
    '../../_base_/models/siamattn_mobilenetv2.py',
    '../../_base_/datasets/uav123_test.py'
]
