"""Benchmarks as they are unpacked: few sequences of few tiny frames.

Each ``make_<name>(root)`` writes one and returns the names of the sequences
that are there.
"""
import json
import os
import os.path as osp

from .drawing import (
    box_at,
    box_lines,
    draw,
    write_image,
    write_palette_png,
    write_text,
)

SIZE = (48, 32)
FRAMES = 4
BOXES = [box_at(i, (8, 6), (14, 12), (2, 1)) for i in range(FRAMES)]
OTHER_BOXES = [box_at(i, (30, 4), (8, 10), (0, 2)) for i in range(FRAMES)]


def write_frames(folder, names):
    """The rectangle, a frame a name."""
    for i, name in enumerate(names):
        path = osp.join(folder, name)
        if i < FRAMES:
            write_image(path, draw([BOXES[i]], SIZE)[0])
        else:
            os.link(osp.join(folder, names[i % FRAMES]), path)


def numbered(pattern, first=1, count=FRAMES):
    """``count`` names from one number on."""
    return [pattern % i for i in range(first, first + count)]


def corners(box):
    """A line of VOT's ground truth."""
    x, y, w, h = box
    return f'{x},{y},{x + w},{y},{x + w},{y + h},{x},{y + h}'


def make_otb100(root):
    """One target, two targets, a part of the images, frames left out."""
    for name in ('Deer', 'Jogging', 'Human4'):
        write_frames(osp.join(root, name, 'img'), numbered('%04d.jpg'))
    # The images start before the annotation.
    write_frames(osp.join(root, 'David', 'img'),
                 numbered('%04d.jpg', 298, 473))
    write_frames(osp.join(root, 'Tiger1', 'img'), numbered('%04d.jpg', 1, 9))
    tabs = [line.replace(',', '\t') for line in box_lines(BOXES)]
    truth = 'groundtruth_rect'
    write_text(osp.join(root, 'Deer', f'{truth}.txt'), tabs)
    write_text(osp.join(root, 'Jogging', f'{truth}.1.txt'), box_lines(BOXES))
    write_text(osp.join(root, 'Jogging', f'{truth}.2.txt'),
               box_lines(OTHER_BOXES))
    write_text(osp.join(root, 'Human4', f'{truth}.1.txt'), [''])
    write_text(osp.join(root, 'Human4', f'{truth}.2.txt'), box_lines(BOXES))
    write_text(osp.join(root, 'David', f'{truth}.txt'),
               box_lines([BOXES[i % FRAMES] for i in range(471)]))
    write_text(osp.join(root, 'Tiger1', f'{truth}.txt'),
               box_lines([BOXES[i % FRAMES] for i in range(9)]))
    attributes = osp.join(root, 'anno', 'att')
    write_text(osp.join(attributes, 'deer.txt'), ['0,0,0,0,0,1,1,0,0,0,0'])
    write_text(osp.join(attributes, 'jogging-2.txt'),
               ['0,0,0,1,0,0,1,0,0,0,0'])
    return ['David', 'Deer', 'Human4', 'Jogging-1', 'Jogging-2', 'Tiger1']


def make_uav123(root):
    """A folder of its own, and two parts of one folder."""
    frames = osp.join(root, 'data_seq', 'UAV123')
    annotations = osp.join(root, 'anno', 'UAV123')
    write_frames(osp.join(frames, 'uav6'), numbered('%06d.jpg', 1, 109))
    write_frames(osp.join(frames, 'bird1'), numbered('%06d.jpg', 1, 253))
    for name, count in (('uav6', 109), ('bird1_1', 253)):
        boxes = [BOXES[i % FRAMES] for i in range(count)]
        boxes[2] = None
        write_text(osp.join(annotations, f'{name}.txt'),
                   box_lines(boxes, absent='NaN,NaN,NaN,NaN'))
    write_text(osp.join(annotations, 'att', 'uav6.txt'),
               ['1,0,1,0,0,0,0,0,0,0,1,0'])
    return ['bird1_1', 'uav6']


def make_lasot(root):
    """Two sequences of the test set; hidden and out of view once."""
    for name in ('airplane-1', 'zebra-17'):
        folder = osp.join(root, name.split('-')[0], name)
        write_frames(osp.join(folder, 'img'), numbered('%08d.jpg'))
        write_text(osp.join(folder, 'groundtruth.txt'), box_lines(BOXES))
        write_text(osp.join(folder, 'full_occlusion.txt'), ['0,1,0,0'])
        write_text(osp.join(folder, 'out_of_view.txt'), ['0,0,1,0'])
    write_text(osp.join(root, 'att', 'zebra-17.txt'),
               ['1,0,0,0,0,0,0,0,0,0,0,0,0,1'])
    return ['airplane-1', 'zebra-17']


def make_trackingnet(root):
    """Two videos; the images count from 0, past 9."""
    videos = ['0-6LB4FqxoE_0', 'x_1']
    for video in videos:
        write_frames(osp.join(root, 'TEST', 'frames', video),
                     numbered('%d.jpg', 0, 12))
        write_text(osp.join(root, 'TEST', 'anno', f'{video}.txt'),
                   box_lines(BOXES[:1]))
    return videos


def make_got10k(root):
    """Two sequences of each set."""
    for split in ('Test', 'Val'):
        folder = osp.join(root, split.lower())
        names = numbered(f'GOT-10k_{split}_%06d', 1, 2)
        write_text(osp.join(folder, 'list.txt'), names)
        for name in names:
            path = osp.join(folder, name)
            write_frames(path, numbered('%08d.jpg'))
            count = 1 if split == 'Test' else FRAMES
            write_text(osp.join(path, 'groundtruth.txt'),
                       box_lines(BOXES[:count]))
            write_text(osp.join(path, 'cover.label'), [8, 8, 0, 5])
    return numbered('GOT-10k_Test_%06d', 1, 2)


def make_nfs(root):
    """Annotations of 30 fps, of 240 fps, and one line too many."""
    steps = dict(airboard_1=1, ball=8, zebra_fish=1)
    for name, step in steps.items():
        folder = osp.join(root, name, '30')
        write_frames(osp.join(folder, name), numbered('%05d.jpg'))
        lines = []
        for i in range(FRAMES * step):
            x, y, w, h = BOXES[i // step]
            lines.append(f'0 {x} {y} {x + w} {y + h} {i} 0 0 0 "{name}"')
        write_text(osp.join(folder, f'{name}.txt'),
                   lines + lines[-1:] * (name == 'zebra_fish'))
    return list(steps)


def make_vot(root):
    """Rotated boxes; images in color/ and directly in the folder."""
    for name, images in (('bag', 'color'), ('ants1', '')):
        write_frames(osp.join(root, name, images), numbered('%08d.jpg'))
        write_text(osp.join(root, name, 'groundtruth.txt'),
                   [corners(box) for box in BOXES])
    write_text(osp.join(root, 'list.txt'), ['bag', 'ants1'])
    return ['bag', 'ants1']


def make_davis(root):
    """One video with one object, one with two."""
    videos = dict(blackswan=[BOXES], dogs=[BOXES, OTHER_BOXES])
    for video, objects in videos.items():
        for i in range(FRAMES):
            image, numbers = draw([boxes[i] for boxes in objects], SIZE)
            write_image(
                osp.join(root, 'JPEGImages', '480p', video, f'{i:05d}.jpg'),
                image)
            write_palette_png(
                osp.join(root, 'Annotations', '480p', video, f'{i:05d}.png'),
                numbers)
    write_text(osp.join(root, 'ImageSets', '2017', 'val.txt'), videos)
    write_text(osp.join(root, 'ImageSets', '480p', 'val.txt'), [
        f'/JPEGImages/480p/{video}/{i:05d}.jpg '
        f'/Annotations/480p/{video}/{i:05d}.png'
        for video in videos for i in range(FRAMES)
    ])
    return ['blackswan_1', 'dogs_1', 'dogs_2']


def make_youtube_vos(root):
    """Two objects, the second appears in the third frame."""
    video = '003234408d'
    stems = numbered('%05d', 0, 1) + ['00005', '00010', '00015']
    late = [None, None] + OTHER_BOXES[2:]
    for i, stem in enumerate(stems):
        image, numbers = draw([BOXES[i], late[i]], SIZE)
        write_image(osp.join(root, 'valid', 'JPEGImages', video,
                             f'{stem}.jpg'), image)
        if i == 2:  # where an object appears, only that one is annotated
            numbers[numbers == 1] = 0
        if i in (0, 2):
            write_palette_png(
                osp.join(root, 'valid', 'Annotations', video, f'{stem}.png'),
                numbers)
    objects = {'1': dict(category='penguin', frames=stems),
               '2': dict(category='person', frames=stems[2:])}
    with open(osp.join(root, 'valid', 'meta.json'), 'w',
              encoding='utf-8') as file:
        json.dump(dict(videos={video: dict(objects=objects)}), file)
    return [f'{video}_1', f'{video}_2']
