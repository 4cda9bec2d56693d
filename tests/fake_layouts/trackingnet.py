"""TrackingNet: TRAIN_<k>/frames/<video>/<n>.jpg, TRAIN_<k>/anno/*.txt."""
import os.path as osp

from .drawing import COLORS, box_at, box_lines, draw, write_image, write_text


def make_trackingnet(root, frames=6):
    """Three videos in two chunks; images are counted from 0."""
    videos = ((0, '-3TIfnTSM6c_2'), (0, '0AsQpJkl9Zs_0'), (7, 'zYxWvUt_1-4'))
    for (chunk, video), color in zip(videos, COLORS):
        folder = osp.join(root, f'TRAIN_{chunk}')
        boxes = [box_at(i) for i in range(frames)]
        for i, box in enumerate(boxes):
            write_image(osp.join(folder, 'frames', video, f'{i}.jpg'),
                        draw([box], colors=[color])[0])
        write_text(osp.join(folder, 'anno', f'{video}.txt'),
                   [','.join(f'{v:.1f}' for v in box) for box in boxes])
    # The test set has the first box only, and is never trained on.
    write_text(osp.join(root, 'TEST', 'anno', 'test_0.txt'),
               box_lines([box_at(0)]))
    return str(root)
