"""What SyntheticSource and SyntheticSOTDataset read."""
import os.path as osp

import numpy as np

from .coco import make_coco_json
from .drawing import write_image


def make_synthetic(root, photos=3):
    """Two sets to cut objects out of, and photographs of noise."""
    for name in ('coco128', 'caltech101_cutouts'):
        make_coco_json(osp.join(root, name))
    rng = np.random.default_rng(0)
    for i in range(photos):
        noise = rng.integers(60, 160, (20, 30, 1), dtype=np.uint8)
        write_image(osp.join(root, 'photos', f'{i}.jpg'),
                    np.repeat(noise, 3, axis=2).repeat(12, 0).repeat(12, 1))
    return str(root)
