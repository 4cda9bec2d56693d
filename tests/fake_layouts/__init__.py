"""Tiny copies of the data sets in their real layout, for tests.

A ``make_<name>(root)`` writes one under ``root`` and returns what its
config's ``data_root`` has to be.
"""
import os.path as osp
from collections import OrderedDict

from .coco import make_coco, make_coco_json
from .folder import make_folder
from .got10k import make_got10k
from .imagenet import make_imagenet_det, make_imagenet_vid
from .lasot import make_lasot
from .synthetic import make_synthetic
from .trackingnet import make_trackingnet
from .youtube_bb import make_youtube_bb
from .youtube_vos import make_youtube_vos

# By the name of the source in configs/_base_/datasets/.
MAKERS = OrderedDict(
    coco=make_coco,
    youtube_vos=make_youtube_vos,
    lasot=make_lasot,
    trackingnet=make_trackingnet,
    got10k=make_got10k,
    imagenet_vid=make_imagenet_vid,
    imagenet_det=make_imagenet_det,
    youtube_bb=make_youtube_bb,
    coco_json=make_coco_json,
    folder=make_folder,
    synthetic=make_synthetic)

__all__ = ['MAKERS', 'cfg_options', 'make_all'] + [
    maker.__name__ for maker in MAKERS.values()
]


def make_all(root, names=None):
    """Write the data sets that are named, or all of them.

    Returns a dict of source name in the config: data_root.
    """
    return {
        name: make(osp.join(str(root), name))
        for name, make in MAKERS.items() if names is None or name in names
    }


def cfg_options(config, roots):
    """What --cfg-options needs to read a config's sources from ``roots``."""
    return {
        f'train_dataloader.dataset.sources.{name}.data_root': roots[name]
        for name in config.train_dataloader.dataset.sources
    }
