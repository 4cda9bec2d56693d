"""ImageNet VID and DET: Data/<set>/train and Annotations/<set>/train."""
import os.path as osp

from .drawing import SIZE, box_at, draw, write_image, write_text


def _xml(folder, name, objects):
    """Lines of an annotation; objects is a list of (fields, box)."""
    lines = ['<annotation>', f'\t<folder>{folder}</folder>',
             f'\t<filename>{name}</filename>', '\t<source>',
             '\t\t<database>ILSVRC_2015</database>', '\t</source>',
             '\t<size>', f'\t\t<width>{SIZE[0]}</width>',
             f'\t\t<height>{SIZE[1]}</height>', '\t</size>']
    for fields, (x, y, w, h) in objects:
        lines += ['\t<object>']
        lines += [f'\t\t<{key}>{value}</{key}>'
                  for key, value in fields.items()]
        # The order is that of the real files.
        lines += ['\t\t<bndbox>', f'\t\t\t<xmax>{x + w}</xmax>',
                  f'\t\t\t<xmin>{x}</xmin>', f'\t\t\t<ymax>{y + h}</ymax>',
                  f'\t\t\t<ymin>{y}</ymin>', '\t\t</bndbox>']
        lines += ['\t</object>']
    return lines + ['</annotation>']


def make_imagenet_vid(root, frames=6):
    """Two snippets; the first has two objects, one of them comes late."""
    late = [None, None] + [box_at(i, (100, 40), (24, 40))
                           for i in range(frames - 2)]
    snippets = {
        'ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000':
        [[box_at(i) for i in range(frames)], late],
        'ILSVRC2015_VID_train_0001/ILSVRC2015_train_00139005':
        [[box_at(i, (60, 20), (40, 40), (2, 4)) for i in range(frames)]],
    }
    for snippet, tracks in snippets.items():
        for i in range(frames):
            boxes = [track[i] for track in tracks]
            stem = osp.join('VID', 'train', snippet, f'{i:06d}')
            write_image(osp.join(root, 'Data', f'{stem}.JPEG'),
                        draw(boxes)[0])
            objects = [(dict(trackid=j, name='n02691156', occluded=0,
                             generated=int(i > 0)), box)
                       for j, box in enumerate(boxes) if box is not None]
            write_text(osp.join(root, 'Annotations', f'{stem}.xml'),
                       _xml(osp.basename(snippet), f'{i:06d}', objects))
    return str(root)


def make_imagenet_det(root):
    """Three stills in two of the set's folders, one without an object."""
    left, right = box_at(0), box_at(0, (100, 40), (24, 40))
    stills = {
        'ILSVRC2013_train/n01440764/n01440764_18': [left],
        'ILSVRC2014_train_0000/ILSVRC2014_train_00000010': [left, right],
        'ILSVRC2014_train_0000/ILSVRC2014_train_00000011': [],
    }
    for name, boxes in stills.items():
        stem = osp.join('DET', 'train', name)
        write_image(osp.join(root, 'Data', f'{stem}.JPEG'), draw(boxes)[0])
        write_text(osp.join(root, 'Annotations', f'{stem}.xml'),
                   _xml(osp.dirname(name), osp.basename(name),
                        [(dict(name='n01440764'), box) for box in boxes]))
    return str(root)
