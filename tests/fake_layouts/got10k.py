"""GOT-10k: train/<sequence>/*.jpg, ground truth, labels, train/list.txt."""
import os.path as osp

from .drawing import COLORS, box_at, draw, write_image, write_text


def make_got10k(root, frames=7):
    """Two listed sequences, and one that is not in the list."""
    names = [f'GOT-10k_Train_{i:06d}' for i in (1, 2, 3)]
    for name, color in zip(names, COLORS):
        folder = osp.join(root, 'train', name)
        # Absent in frame 4: the file holds a box there all the same. In
        # frame 6 all of it is covered.
        seen = [None if i in (4, 6) else box_at(i)
                for i in range(1, frames + 1)]
        for i, box in enumerate(seen, start=1):
            write_image(osp.join(folder, f'{i:08d}.jpg'),
                        draw([box], colors=[color])[0])
        write_text(osp.join(folder, 'groundtruth.txt'),
                   [','.join(f'{v:.4f}' for v in box_at(i))
                    for i in range(1, frames + 1)])
        write_text(osp.join(folder, 'absence.label'),
                   [int(i == 4) for i in range(1, frames + 1)])
        write_text(osp.join(folder, 'cover.label'),
                   [0 if i == 6 else 8 for i in range(1, frames + 1)])
        write_text(osp.join(folder, 'cut_by_image.label'), [0] * frames)
        write_text(osp.join(folder, 'meta_info.ini'),
                   ['[METAINFO]', 'url: unknown', 'anno_fps: 10Hz'])
    write_text(osp.join(root, 'train', 'list.txt'), names[:2])
    return str(root)
