"""LaSOT: <category>/<sequence>/img/*.jpg and text files."""
import os.path as osp

from .drawing import COLORS, box_at, box_lines, draw, write_image, write_text


def make_lasot(root, frames=8):
    """Three sequences, one of them of the test set."""
    sequences = dict(zip(('airplane-1', 'airplane-2', 'zebra-17'), COLORS))
    for name, color in sequences.items():
        folder = osp.join(root, name.split('-')[0], name)
        # LaSOT keeps a box of no area where the target is out of view.
        boxes = [box_at(i) for i in range(frames)]
        boxes[4] = None
        for i, box in enumerate(boxes, start=1):
            # Hidden in frame 6: there is a box, but nothing to be seen.
            seen = None if i == 6 else box
            write_image(osp.join(folder, 'img', f'{i:08d}.jpg'),
                        draw([seen], colors=[color])[0])
        write_text(osp.join(folder, 'groundtruth.txt'), box_lines(boxes))
        write_text(osp.join(folder, 'full_occlusion.txt'), [','.join(
            str(int(i == 6)) for i in range(1, frames + 1))])
        write_text(osp.join(folder, 'out_of_view.txt'), [','.join(
            str(int(i == 5)) for i in range(1, frames + 1))])
        write_text(osp.join(folder, 'nlp.txt'), ['a rectangle on grey'])
    write_text(osp.join(root, 'training_set.txt'),
               ['airplane-2', 'zebra-17'])
    write_text(osp.join(root, 'testing_set.txt'), ['airplane-1'])
    return str(root)
