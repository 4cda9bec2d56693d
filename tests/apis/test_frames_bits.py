"""Frames of more than 8 bits keep their contrast."""
import av
import cv2
import numpy as np
import pytest
from PIL import Image

from siamattn_mm.apis import FrameError, open_frames

COUNT = 5


def thermal(index, low=7000, span=1275):
    """A scene that gets a little warmer, with a hot spot that moves."""
    ramp = np.linspace(low, low + span, 64 * 48).reshape(48, 64) + 20 * index
    ramp[10:20, 8 * index:8 * index + 8] += 300
    return ramp.astype(np.uint16)


def check(frames, start=0):
    read = list(frames)
    for index, frame in enumerate(read, start):
        assert frame.shape == (48, 64, 3) and frame.dtype == np.uint8
        assert (frame[..., 0] == frame[..., 2]).all()
        assert len(np.unique(frame)) > 150
        values = thermal(index)
        inside = (frame[..., 0] > 0) & (frame[..., 0] < 255)
        assert np.corrcoef(values[inside], frame[inside][:, 0])[0, 1] > .999
    return read


def write_folder(folder, suffix):
    for index in range(COUNT):
        image = thermal(index)
        if suffix == 'float.tif':
            image = image.astype(np.float32) / 100
        assert cv2.imwrite(str(folder / f'{index}.{suffix}'), image)
    return str(folder)


def write_video(path, codec='ffv1', pix_fmt='gray16le'):
    # Of a camera with 14 or 12 bits, the lower ones of 16 are in use.
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        for index in range(COUNT):
            frame = av.VideoFrame(64, 48, pix_fmt)
            plane = frame.planes[0]
            rows = np.zeros((48, plane.line_size // 2), np.uint16)
            rows[:, :64] = thermal(index) >> (16 - int(pix_fmt[4:6])) // 2
            plane.update(rows.tobytes())
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


@pytest.mark.parametrize('suffix', ['png', 'tif', 'float.tif'])
def test_images(tmp_path, suffix):
    source = write_folder(tmp_path, suffix)
    whole = check(open_frames(source))
    # The range is the folder's, whichever frame comes first.
    part = check(open_frames(source, 3), 3)
    assert np.array_equal(part[0], whole[3])
    assert np.array_equal(list(open_frames(source))[2], whole[2])


@pytest.mark.parametrize('pix_fmt', ['gray16le', 'gray12le'])
def test_grey_video(tmp_path, pix_fmt):
    source = write_video(tmp_path / 'thermal.mkv', pix_fmt=pix_fmt)
    whole = check(open_frames(source))
    part = check(open_frames(source, 3), 3)
    assert np.array_equal(part[0], whole[3])


def test_colours_of_16_bits(tmp_path):
    image = np.dstack([thermal(0), thermal(0) + 100, thermal(0) + 200])
    cv2.imwrite(str(tmp_path / '1.png'), image)
    frame = next(iter(open_frames(str(tmp_path))))
    assert len(np.unique(frame)) > 150
    assert (frame[30, 30, 0] < frame[30, 30, 1] < frame[30, 30, 2])


@pytest.mark.parametrize('kind', [np.uint16, np.float32, np.uint8])
def test_pages_of_a_tiff(tmp_path, kind):
    path, ramp = str(tmp_path / 'stack.TIF'), np.linspace(0, 200, 48 * 64)
    low = 0 if kind is np.uint8 else 7000
    pages = [(low + ramp.reshape(48, 64) + 10 * i).astype(kind)
             for i in range(4)]
    first, *others = map(Image.fromarray, pages)
    first.save(path, save_all=True, append_images=others,
               compression='tiff_lzw')
    frames = list(open_frames(path))
    assert len(open_frames(path)) == len(frames) == 4
    levels = [frame.astype(int) for frame in frames]
    assert levels[0].shape == (48, 64, 3)
    assert len(np.unique(levels[0])) > 150
    # One stretch for all, whatever the first page of a part is.
    assert 7 <= np.median(levels[1] - levels[0]) <= 12
    part = open_frames(path, 2, 4)
    assert part.start == 2 and np.array_equal(list(part), frames[2:])
    with pytest.raises(FrameError, match='has 4 frames'):
        open_frames(path, 0, 5)


def test_pages_of_other_sizes(tmp_path):
    path = str(tmp_path / 'a.tiff')
    large, small = (Image.new('L', size, 9) for size in ((64, 48), (32, 24)))
    large.save(path, save_all=True, append_images=[small])
    with pytest.raises(FrameError, match='page 1 of .*a.tiff.* is 32x24'):
        list(open_frames(path))


def test_given_range(tmp_path):
    frames = open_frames(
        write_folder(tmp_path, 'png'), value_range=(7000, 7510))
    for index, frame in enumerate(frames):
        expected = ((thermal(index).astype(float) - 7000) / 2).clip(0, 255)
        assert np.abs(frame[..., 1] - expected).max() <= .5


def test_a_camera_that_starts_with_its_shutter_closed(tmp_path):
    write_folder(tmp_path, 'png')
    cv2.imwrite(str(tmp_path / '0.png'), np.full((48, 64), 7200, np.uint16))
    frames = list(open_frames(str(tmp_path)))
    assert len(np.unique(frames[3])) > 150
    assert np.array_equal(next(iter(open_frames(str(tmp_path), 3))), frames[3])


def test_wrong_range(tmp_path):
    with pytest.raises(ValueError, match='value_range'):
        open_frames(write_folder(tmp_path, 'png'), value_range=(3, 3))


def test_thermal_images_of_the_cases(shared):
    folder = shared / 'cases' / 'thermal16' / 'img16'
    if not folder.is_dir():
        pytest.skip('no such case')
    for frame in open_frames(str(folder)):
        assert len(np.unique(frame)) > 150


def test_which_values_became_black_and_white(tmp_path):
    frames = open_frames(write_folder(tmp_path, 'png'))
    list(frames)
    low, high = frames.value_range
    assert low < 7000 < 8275 < high
    given = open_frames(str(tmp_path), value_range=(7000, 7510))
    next(iter(given))
    assert given.value_range == (7000, 7510)
    # Of 8 bits, even where a range is given.
    folder = tmp_path / 'bytes'
    folder.mkdir()
    assert cv2.imwrite(str(folder / '0.png'), np.zeros((4, 4), np.uint8))
    plain = open_frames(str(folder), value_range=(0, 9))
    list(plain)
    assert plain.value_range is None
