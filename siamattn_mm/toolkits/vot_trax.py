"""Serve a tracker over TraX, the protocol of the VOT toolkit."""
from typing import Any, Callable, Dict, Sequence, Tuple

import numpy as np

from siamattn_mm.datasets.reading.image_reader import (
    UnreadableFrameError,
    decode_image,
    read_bytes,
)
from siamattn_mm.datasets.reading.value_stretch import ValueStretch
from siamattn_mm.utils.model_parts import makes_masks

from ..apis.tracker import Result, Tracker

# What TraX calls the regions is in its own module, which is optional.
REGIONS = ('box', 'polygon', 'mask')


def import_trax() -> Any:
    """The ``trax`` package (vot-trax).

    Raises:
        ImportError: If it is not installed, saying how to install it.
    """
    try:
        import trax.image
        import trax.region
        import trax.server
    except ImportError as error:
        raise ImportError(
            f'the VOT toolkit cannot be served ({error}): install vot-toolkit '
            'with `bash tools/setup.sh --with eval`') from error
    return trax


def check_region(tracker: Tracker, region: str) -> None:
    """Refuse a region that the tracker cannot give.

    Args:
        tracker (Tracker): Built.
        region (str): ``'box'``, ``'polygon'`` or ``'mask'``.

    Raises:
        ValueError: If it is none of these, or needs a mask head that the
            model has not.
    """
    if region not in REGIONS:
        raise ValueError(f'region must be one of {", ".join(REGIONS)}, but '
                         f'got {region!r}')
    if region != 'box' and not makes_masks(tracker.model):
        raise ValueError(f'this model has no mask head, so it gives no '
                         f'{region}: use the region "box"')


def serve(server: Any, tracker: Tracker, region: str = 'polygon') -> int:
    """Answer a TraX client until it quits.

    The toolkit starts this in a process of its own, see
    ``siamattn vot-tracker``. The target comes as a rectangle, a polygon or a
    mask, whichever the data set has; what goes back is always ``region``.

    Args:
        server (trax.server.Server): Connected.
        tracker (Tracker): Built and loaded.
        region (str): ``'box'`` (upright), ``'polygon'`` (the rotated box of
            the mask) or ``'mask'``. Defaults to 'polygon'.

    Returns:
        int: Number of frames that were answered.

    Raises:
        ValueError: As :func:`check_region`, or if a frame cannot be read or
            has another size, or the target is refused; naming the frame.
    """
    check_region(tracker, region)
    status = import_trax().TraxStatus
    num_frames, stretch = 0, ValueStretch()
    while True:
        request = server.wait()
        if request.type not in (status.INITIALIZE, status.FRAME):
            return num_frames
        path = request.image['color'].path()
        if request.type == status.INITIALIZE:
            stretch = ValueStretch()
        frame = _read(path, stretch)
        try:
            if request.type == status.INITIALIZE:
                given = request.objects[0][0]
                tracker.init(frame, to_bbox(given))
                answer = given, {}
            else:
                answer = to_region(tracker.update(frame), region)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        server.status([answer])
        num_frames += 1


def to_bbox(region: Any) -> Tuple[float, ...]:
    """A TraX region as :meth:`Tracker.init` takes it.

    Args:
        region (trax.region.Region): Rectangle, polygon or mask.

    Returns:
        tuple[float]: x, y, w, h, or the 8 numbers of a quadrangle. Of any
        other polygon and of a mask, the upright rectangle around it.

    Raises:
        ValueError: If it is something else, or a mask without a pixel.
    """
    trax = import_trax()
    if region.type == trax.region.Region.RECTANGLE:
        return tuple(region.bounds())
    if region.type == trax.region.Region.POLYGON:
        corners = np.array(list(region))
        if len(corners) == 4:
            return tuple(corners.ravel())
        low, high = corners.min(axis=0), corners.max(axis=0)
        return (*low, *(high - low))
    if region.type == trax.region.Region.MASK:
        rows, columns = np.nonzero(region.array())
        if not len(rows):
            raise ValueError('the target\'s mask is empty')
        left, top = region.offset()
        return (left + columns.min(), top + rows.min(),
                np.ptp(columns) + 1., np.ptp(rows) + 1.)
    raise ValueError(f'a target is a rectangle, a polygon or a mask, but got '
                     f'the region {region.type!r}')


def to_region(result: Result, region: str) -> Tuple[Any, Dict[str, float]]:
    """A result as TraX sends it.

    Args:
        result (Result): Of :meth:`Tracker.update`.
        region (str): ``'box'``, ``'polygon'`` or ``'mask'``.

    Returns:
        tuple[trax.region.Region, dict]: The region, and the score as
        ``confidence``, as the toolkit's long-term measures call it.
    """
    makers: Dict[str, Callable[[Result], Any]] = dict(
        box=_box, polygon=_polygon, mask=_mask)
    return makers[region](result), dict(confidence=float(result.score))


def _box(result: Result) -> Any:
    return import_trax().region.Rectangle.create(
        *(float(number) for number in result.bbox))


def _polygon(result: Result) -> Any:
    corners: Sequence[Any] = np.asarray(result.polygon, np.float64)
    return import_trax().region.Polygon.create(
        [(float(x), float(y)) for x, y in corners])


def _mask(result: Result) -> Any:
    mask = np.ascontiguousarray(result.mask, np.uint8)
    return import_trax().region.Mask.create(mask)


def _read(path: str, stretch: ValueStretch) -> np.ndarray:
    try:
        return decode_image(read_bytes(path), path, stretch)
    except UnreadableFrameError as error:
        raise ValueError(f'{path}: cannot be read as an image') from error
