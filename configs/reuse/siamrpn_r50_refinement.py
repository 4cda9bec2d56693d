# mmtrack's own SiamRPN (SiamRPN++), with our box refinement behind its
# SiameseRPNHead.
_base_ = [
    '../_base_/models/siamrpn_r50.py', '../_base_/datasets/sot_folder.py',
    '../_base_/default_runtime.py'
]

model = dict(
    head=dict(
        _delete_=True,
        type='SiamAttnPluginHead',
        rpn_head=dict(
            type='SiamAttnRPNHead',
            anchor_generator={{_base_.model.head.anchor_generator}},
            in_channels={{_base_.model.head.in_channels}},
            loss_cls={{_base_.model.head.loss_cls}},
            loss_bbox={{_base_.model.head.loss_bbox}}),
        refine_head=dict(
            type='RefinementHead',
            box_fusion=dict(
                type='CorrelationFusion', in_channels=[256, 256, 256]),
            box_head=dict(
                type='RefineBoxHead',
                roi_layer=dict(
                    type='DeformRoIPooling',
                    output_size=4,
                    spatial_scale=25 / 255)))))
