_base_ = [
    '../../_base_/models/siamattn_mobilenetv2.py',
    '../../_base_/datasets/trackingnet_test.py'
]
