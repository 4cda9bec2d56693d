_base_ = [
    '../_base_/models/siamattn_r50_paper.py',
    '../_base_/datasets/sot_folder.py', '../_base_/default_runtime.py'
]
