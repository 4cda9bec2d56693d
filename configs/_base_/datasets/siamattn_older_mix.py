# The data sets that Siamese trackers were trained on before there were LaSOT,
# TrackingNet and GOT-10k: 600,000 pairs an epoch, shared out in proportion to
# the pairs that each of them offers. For other places of the data, see
# siamattn_full.py.
_base_ = [
    './sot_pairs.py', './imagenet_vid.py', './imagenet_det.py',
    './youtube_bb.py', './coco.py', './youtube_vos.py'
]

train_dataloader = dict(
    dataset=dict(
        pairs_per_epoch=600000,
        sources=dict(
            imagenet_vid={{_base_.imagenet_vid_source}},
            imagenet_det={{_base_.imagenet_det_source}},
            youtube_bb={{_base_.youtube_bb_source}},
            coco={{_base_.coco_source}},
            youtube_vos={{_base_.youtube_vos_source}})))
