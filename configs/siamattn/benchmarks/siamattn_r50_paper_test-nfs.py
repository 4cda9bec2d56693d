_base_ = [
    '../../_base_/models/siamattn_r50_paper.py',
    '../../_base_/datasets/nfs_test.py'
]
