# The training data of SiamAttn: 600,000 pairs an epoch from five data sets,
# shared out in proportion to the pairs that each of them offers.
#
# Where a data set is can be said for each source, e.g.
#   --cfg-options train_dataloader.dataset.sources.lasot.data_root=/data/lasot
# and one can be left out: train_dataloader.dataset.sources.trackingnet=None
_base_ = [
    './sot_pairs.py', './coco.py', './youtube_vos.py', './lasot.py',
    './trackingnet.py', './got10k.py'
]

train_dataloader = dict(
    dataset=dict(
        pairs_per_epoch=600000,
        sources=dict(
            coco={{_base_.coco_source}},
            youtube_vos={{_base_.youtube_vos_source}},
            lasot={{_base_.lasot_source}},
            trackingnet={{_base_.trackingnet_source}},
            got10k={{_base_.got10k_source}})))
