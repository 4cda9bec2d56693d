"""What the fake data sets show: rectangles of one colour each on grey."""
import os
import os.path as osp

import cv2
import numpy as np
from PIL import Image

SIZE = (160, 120)  # width, height
COLORS = ((0, 0, 230), (0, 210, 0), (230, 0, 0), (0, 210, 220))  # BGR


def box_at(step, start=(20, 30), size=(36, 28), speed=(4, 2)):
    """x, y, w, h of a rectangle that moves by ``speed`` a frame."""
    return (start[0] + speed[0] * step, start[1] + speed[1] * step) + size


def draw(boxes, size=SIZE, colors=COLORS):
    """An image and its object numbers; None in boxes is no object."""
    img = np.full((size[1], size[0], 3), 110, np.uint8)
    # Some structure, so that the background is not all alike.
    img[::16] = img[:, ::16] = 140
    numbers = np.zeros((size[1], size[0]), np.uint8)
    for i, box in enumerate(boxes):
        if box is not None:
            x, y, w, h = box
            img[y:y + h, x:x + w] = colors[i % len(colors)]
            numbers[y:y + h, x:x + w] = i + 1
    return img, numbers


def write_image(path, img):
    """Write an image, and the folders above it."""
    os.makedirs(osp.dirname(path), exist_ok=True)
    # cv2.imwrite decides by the suffix, and does not know .JPEG everywhere.
    good = [cv2.IMWRITE_JPEG_QUALITY, 95]
    cv2.imencode('.jpg', img, good)[1].tofile(path)


def write_palette_png(path, numbers):
    """Write object numbers as DAVIS and YouTube-VOS do."""
    os.makedirs(osp.dirname(path), exist_ok=True)
    image = Image.fromarray(numbers)
    image.putpalette([0, 0, 0, 236, 95, 103, 249, 145, 87, 250, 200, 99])
    image.save(path)


def write_text(path, lines):
    """Write lines, and the folders above the file."""
    os.makedirs(osp.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(str(line) for line in lines) + '\n')


def box_lines(boxes, absent='0,0,0,0'):
    """x,y,w,h a line."""
    return [absent if box is None else ','.join(map(str, box))
            for box in boxes]
