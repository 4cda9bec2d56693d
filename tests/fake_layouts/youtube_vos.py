"""YouTube-VOS: train/JPEGImages, train/Annotations, train/meta.json."""
import json
import os.path as osp

from .drawing import box_at, draw, write_image, write_palette_png

# Every fifth frame of a video is in the data set.
NAMES = [f'{5 * i:05d}' for i in range(6)]


def make_youtube_vos(root):
    """Two videos; in the first an object comes late and one leaves."""
    videos = {
        '003234408d': [
            [box_at(i) for i in range(6)],
            [None, None] + [box_at(i, (100, 40), (24, 40)) for i in range(4)],
            [box_at(i, (90, 90), (30, 20), (-2, 0)) for i in range(3)] +
            [None] * 3,
        ],
        '0043f083b5': [[box_at(i, (60, 20), (40, 40), (2, 4))
                        for i in range(6)]],
    }
    meta = dict(videos=dict())
    for video, objects in videos.items():
        for i, name in enumerate(NAMES):
            img, numbers = draw([boxes[i] for boxes in objects])
            write_image(osp.join(root, 'train', 'JPEGImages', video,
                                 f'{name}.jpg'), img)
            write_palette_png(
                osp.join(root, 'train', 'Annotations', video, f'{name}.png'),
                numbers)
        meta['videos'][video] = dict(objects={
            str(number): dict(
                category=('penguin', 'person', 'dog')[number - 1],
                # As in the real file: from the first frame with the object
                # on, also where it is hidden later.
                frames=[name for i, name in enumerate(NAMES)
                        if any(box is not None for box in boxes[:i + 1])])
            for number, boxes in enumerate(objects, start=1)
        })
    with open(osp.join(root, 'train', 'meta.json'), 'w',
              encoding='utf-8') as file:
        json.dump(meta, file)
    return str(root)
