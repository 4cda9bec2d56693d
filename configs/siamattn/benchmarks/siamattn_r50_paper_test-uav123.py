_base_ = [
    '../../_base_/models/siamattn_r50_paper.py',
    '../../_base_/datasets/uav123_test.py'
]
