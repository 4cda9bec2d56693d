"""YouTube-BB: yt_bb_detection_<split>.csv and one image a line of it."""
import os.path as osp

from .drawing import COLORS, SIZE, box_at, draw, write_image, write_text


def make_youtube_bb(root, frames=5):
    """Three segments, a frame a second; boxes are shares of the image."""
    segments = (('train', 'AAB6lO-XiKE', 0, 'person', 0),
                ('train', 'AAB6lO-XiKE', 23, 'zebra', 1),
                ('validation', '-0-oyCJIyPU', 4, 'car', 0))
    lines = dict(train=[], validation=[])
    for (split, video, class_id, name, object_id), color in zip(
            segments, COLORS):
        folder = osp.join(root, f'yt_bb_detection_{split}', str(class_id))
        for i in range(frames):
            # Absent in the third frame.
            box = None if i == 2 else box_at(i)
            time = 238000 + 1000 * i
            write_image(
                osp.join(folder,
                         f'{video}_{time}_{class_id}_{object_id}.jpg'),
                draw([box], colors=[color])[0])
            key = f'{video},{time},{class_id},{name},{object_id}'
            if box is None:
                lines[split].append(f'{key},absent,-1.0,-1.0,-1.0,-1.0')
                continue
            x, y, w, h = box
            lines[split].append(
                f'{key},present,{x / SIZE[0]:.6f},{(x + w) / SIZE[0]:.6f},'
                f'{y / SIZE[1]:.6f},{(y + h) / SIZE[1]:.6f}')
    for split, rows in lines.items():
        write_text(osp.join(root, f'yt_bb_detection_{split}.csv'), rows)
    return str(root)
