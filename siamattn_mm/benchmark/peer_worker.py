"""Run one of OpenCV's trackers in a process of its own.

Not imported by the package: :mod:`.peers` runs this file with another OpenCV
in front of the environment's, so it needs nothing but ``cv2`` and ``numpy``.

A line of JSON on stdin is a job, a line of JSON on stdout is an answer:

- job: ``tracker`` (name), ``models`` (dict of paths), ``threads`` (int),
  ``frames`` (list of paths), ``bbox`` (x, y, w, h in pixels);
- answer to each frame: ``bbox`` (x, y, w, h), ``score``, ``seconds`` in the
  tracker, ``wall_seconds`` with reading the image; or ``error`` (str), after
  which the process ends.
"""
import json
import sys
import time

import cv2
import numpy as np

# OpenCV's class, and the models that it needs: flag of the tool, attribute.
TRACKERS = dict(
    csrt=('TrackerCSRT', ()),
    kcf=('TrackerKCF', ()),
    nano=('TrackerNano', ('backbone', 'neckhead')))


def make_tracker(name: str, models: dict) -> object:
    """A new tracker; state is not shared between sequences.

    Args:
        name (str): A key of :data:`TRACKERS`.
        models (dict): Path of each model file that it needs.

    Returns:
        object: With ``init`` and ``update``.
    """
    class_name, needed = TRACKERS[name]
    if not hasattr(cv2, f'{class_name}_create'):
        raise RuntimeError(f'OpenCV {cv2.__version__} of {cv2.__file__} has '
                           f'no {class_name}: it is not opencv-contrib')
    create = getattr(cv2, f'{class_name}_create')
    if not needed:
        return create()
    params = getattr(cv2, f'{class_name}_Params')()
    for key in needed:
        setattr(params, key, models[key])
    return create(params)


def read_image(path: str) -> np.ndarray:
    """An image as the other trackers get it: (H, W, 3) uint8, BGR."""
    data = np.fromfile(path, np.uint8)
    image = cv2.imdecode(
        data, cv2.IMREAD_COLOR
        | cv2.IMREAD_ANYDEPTH) if data.size else None
    if image is None:
        raise RuntimeError(f'{path}: not a readable image')
    if image.dtype != np.uint8:
        raise RuntimeError(f'{path}: {image.dtype} pixels; the other trackers '
                           'take 8 bits')
    return image


def track(job: dict):
    """Track through one sequence.

    Args:
        job (dict): See the module.

    Yields:
        dict: The answer for each frame.
    """
    cv2.setNumThreads(job['threads'])
    tracker = make_tracker(job['tracker'], job['models'])
    bbox, score = job['bbox'], -1.  # given, as our tracker says it
    for index, path in enumerate(job['frames']):
        started = time.perf_counter()
        image = read_image(path)
        began = time.perf_counter()
        if index == 0:
            # OpenCV takes whole pixels only.
            tracker.init(image, tuple(int(round(v)) for v in bbox))
        else:
            found, box = tracker.update(image)
            score = float(found)
            if hasattr(tracker, 'getTrackingScore'):
                score = float(tracker.getTrackingScore())
            # What is not found stays where it was.
            if found:
                bbox = [float(v) for v in box]
        ended = time.perf_counter()
        yield dict(
            bbox=bbox,
            score=score,
            seconds=ended - began,
            wall_seconds=ended - started)


def main() -> None:
    """Answer jobs until there are none."""
    for line in sys.stdin:
        try:
            for answer in track(json.loads(line)):
                print(json.dumps(answer), flush=True)
        except (RuntimeError, OSError, KeyError, cv2.error) as error:
            print(json.dumps(dict(error=str(error).strip())), flush=True)
            return


if __name__ == '__main__':
    main()
