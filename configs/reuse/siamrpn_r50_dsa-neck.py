# mmtrack's own SiamRPN, with our DSA neck in front of its SiameseRPNHead.
_base_ = [
    '../_base_/models/siamrpn_r50.py', '../_base_/datasets/sot_folder.py',
    '../_base_/default_runtime.py'
]

model = dict(
    head=dict(
        _delete_=True,
        type='SiamAttnPluginHead',
        siamese_neck=dict(type='DSANeck', in_channels=[256, 256, 256]),
        rpn_head={{_base_.model.head}}))
