"""Plain folders: <sequence>/img/*.jpg, groundtruth.txt, masks/*.png."""
import os.path as osp

from .drawing import (
    COLORS,
    box_at,
    box_lines,
    draw,
    write_image,
    write_palette_png,
    write_text,
)


def make_folder(root, frames=6):
    """One sequence with masks, one with boxes only and an absent frame."""
    for name, color, masks in (('with_masks', COLORS[0], True),
                               ('boxes_only', COLORS[1], False)):
        boxes = [box_at(i) for i in range(frames)]
        if not masks:
            boxes[3] = None
        for i, box in enumerate(boxes, start=1):
            img, numbers = draw([box], colors=[color])
            write_image(osp.join(root, name, 'img', f'{i:08d}.jpg'), img)
            if masks:
                write_palette_png(
                    osp.join(root, name, 'masks', f'{i:08d}.png'), numbers)
        write_text(osp.join(root, name, 'groundtruth.txt'),
                   box_lines(boxes, absent='nan,nan,nan,nan'))
    return str(root)
