"""Frames of videos, folders and cameras."""
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from siamattn_mm.apis import FrameError, open_frames

SIZE = (64, 48)
COUNT = 60


def picture(index):
    """A frame whose bars spell its number, whatever the codec blurs."""
    image = np.full((SIZE[1], SIZE[0], 3), 30, np.uint8)
    for bit in range(8):
        if index >> bit & 1:
            image[:, bit * 8:bit * 8 + 8] = (60, 120, 220)
    return image


def number(image):
    """The number of a frame that :func:`picture` made."""
    return sum((int(image[:, bit * 8 + 2:bit * 8 + 6, 2].mean()) > 125) << bit
               for bit in range(8))


def write_video(path, fourcc='mp4v', count=COUNT):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), 20.,
                             SIZE)
    assert writer.isOpened()
    for index in range(count):
        writer.write(picture(index))
    writer.release()
    return str(path)


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp('video') / 'clip.mp4')


@pytest.fixture
def folder(tmp_path):
    """Twelve images, numbered without leading zeros."""
    for index in range(12):
        assert cv2.imwrite(str(tmp_path / f'f{index}.png'), picture(index))
    return tmp_path


@pytest.mark.parametrize('start, end', [(0, None), (0, 1), (37, 52),
                                        (COUNT - 1, None), (13, COUNT)])
def test_video_is_frame_exact(video, start, end):
    frames = open_frames(video, start, end)
    expected = list(range(COUNT))[start:end]
    # Twice: iterating again starts again.
    for _ in range(2):
        read = list(frames)
        assert [number(frame) for frame in read] == expected
    assert len(frames) == len(expected)
    assert (frames.start, frames.fps, frames.size) == (start, 20., SIZE)
    assert read[0].dtype == np.uint8 and read[0].shape == (48, 64, 3)
    # Red, the last of BGR, is the bars' strongest colour.
    if expected[0] & 1:
        assert read[0][20, 4].argmax() == 2


def test_folder_is_in_natural_order(folder):
    (folder / 'notes.txt').write_text('no image')
    (folder / '._f3.png').write_text('no image either')
    frames = open_frames(str(folder), 1)
    assert len(frames) == 11
    assert [number(frame) for frame in frames] == list(range(1, 12))
    assert (frames.fps, frames.size) == (25., SIZE)


def test_folder_of_a_sequence(folder, tmp_path_factory):
    sequence = tmp_path_factory.mktemp('sequence')
    folder.rename(sequence / 'img')
    (sequence / 'groundtruth.txt').write_text('1,2,3,4\n')
    assert len(open_frames(str(sequence), 0, 5)) == 5


def test_grey_and_transparent_images_become_colour(tmp_path):
    cv2.imwrite(str(tmp_path / '1.png'), np.full((9, 8), 77, np.uint8))
    cv2.imwrite(str(tmp_path / '2.png'), np.full((9, 8, 4), 77, np.uint8))
    cv2.imwrite(str(tmp_path / '3.png'), np.full((9, 8), 77 * 257, np.uint16))
    for frame in open_frames(str(tmp_path)):
        assert frame.shape == (9, 8, 3) and (frame == 77).all()


@pytest.mark.parametrize('start, end', [(-1, None), (12, None), (20, 25),
                                        (5, 5), (6, 3), (0, 13), (0, 0)])
@pytest.mark.parametrize('kind', ['video', 'folder'])
def test_range_outside_the_frames(kind, folder, start, end):
    source = str(folder)
    if kind == 'video':
        source = write_video(folder / 'clip.mp4', count=12)
    with pytest.raises(FrameError, match='has 12 frames') as caught:
        open_frames(source, start, end)
    assert source in str(caught.value)
    assert f'start={start} and end={end}' in str(caught.value)


@pytest.mark.parametrize('start, end', [(0.5, None), (0, '9')])
def test_range_of_other_types(folder, start, end):
    with pytest.raises(TypeError):
        open_frames(str(folder), start, end)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='no.mp4'):
        open_frames(str(tmp_path / 'no.mp4'))


def test_empty_folder(tmp_path):
    (tmp_path / 'img').mkdir()
    with pytest.raises(FrameError, match='holds no images') as caught:
        open_frames(str(tmp_path))
    assert repr(str(tmp_path)) in str(caught.value)


@pytest.mark.parametrize('content', [b'', b'no video at all' * 100])
def test_not_a_video(tmp_path, content):
    path = tmp_path / 'bad.mp4'
    path.write_bytes(content)
    with pytest.raises(FrameError, match='bad.mp4.* cannot be read as a vide'):
        open_frames(str(path))


def test_truncated_without_index(video, tmp_path):
    path = tmp_path / 'cut.mp4'
    with open(video, 'rb') as file:
        content = file.read()
    # The index is at the end.
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(FrameError, match='cut.mp4'):
        open_frames(str(path))


def test_truncated_behind_its_header(tmp_path):
    path = tmp_path / 'cut.avi'
    whole = write_video(tmp_path / 'whole.avi', 'MJPG')
    with open(whole, 'rb') as file:
        content = file.read()
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(FrameError) as caught:
        open_frames(str(path))
    message = str(caught.value)
    assert str(path) in message and f'of its {COUNT} frames' in message
    # What is readable may be asked for, as the message says.
    readable = int(message.split('end=')[1].split()[0])
    assert 10 < readable < COUNT - 10
    assert [number(f) for f in open_frames(str(path), 0, readable)
            ] == list(range(readable))


def test_video_without_frames(tmp_path):
    path = tmp_path / 'none.avi'
    write_video(path, 'MJPG', count=1)
    content = path.read_bytes()
    path.write_bytes(content[:content.index(b'movi') + 4])
    with pytest.raises(FrameError, match='none.avi'):
        open_frames(str(path))


def test_video_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / 'clip.avi'
    frames = open_frames(write_video(path, 'MJPG'))
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    with pytest.raises(FrameError, match=r'clip\.avi.*frame \d+ cannot'):
        list(frames)


@pytest.mark.parametrize('content', [b'', b'no image'])
def test_unreadable_image(folder, content):
    (folder / 'f4.png').write_bytes(content)
    frames = iter(open_frames(str(folder)))
    for _ in range(4):
        next(frames)
    with pytest.raises(FrameError, match='f4.png.* cannot be read as an imag'):
        next(frames)


def test_truncated_image(folder):
    path = folder / 'f0.png'
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FrameError, match='f0.png'):
        open_frames(str(folder))


def test_image_that_vanishes(folder):
    frames = open_frames(str(folder))
    (folder / 'f2.png').unlink()
    with pytest.raises(FrameError, match='f2.png'):
        list(frames)


def test_image_of_another_size(folder):
    cv2.imwrite(str(folder / 'f7.png'), picture(7)[:40])
    with pytest.raises(FrameError, match='f7.png.* is 64x40.* is 64x48'):
        list(open_frames(str(folder)))
    assert len(list(open_frames(str(folder), 8))) == 4


def test_single_image(folder):
    with pytest.raises(FrameError, match='give the folder'):
        open_frames(str(folder / 'f0.png'))


@pytest.mark.parametrize('suffix', ['.webp', '.png'])
def test_animations_that_are_not_read(tmp_path, suffix):
    path = str(tmp_path / f'a{suffix}')
    first, second = (Image.fromarray(picture(i)) for i in (1, 2))
    first.save(path, save_all=True, append_images=[second], duration=50)
    with pytest.raises(FrameError, match='an animation of 2 pictures'):
        open_frames(path)


class FakeCamera:
    """Counts the frames that it gives; ends after ``COUNT``."""

    def __init__(self, device):
        self.device, self.given = device, 0

    def isOpened(self):
        return self.device == 0

    def get(self, prop):
        return 0.  # many cameras do not say

    def read(self):
        self.given += 1
        return self.given <= COUNT, picture(self.given - 1)


@pytest.fixture
def camera(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCamera)


@pytest.mark.parametrize('source', [0, '0'])
def test_camera_with_an_end(camera, source):
    frames = open_frames(source, 2, 6)
    assert len(frames) == len(list(frames)) == 4
    assert (frames.fps, frames.size) == (25., SIZE)


def test_camera_without_an_end(camera):
    frames = open_frames('0')
    with pytest.raises(TypeError, match='no last frame'):
        len(frames)
    read = iter(frames)
    first = number(next(read))
    assert number(next(read)) == first + 1
    with pytest.raises(FrameError, match='camera 0 stopped'):
        list(read)


def test_camera_that_is_not_there(camera):
    with pytest.raises(FrameError, match='camera 3 cannot be opened'):
        open_frames('3')


def test_camera_with_a_bad_range(camera):
    with pytest.raises(FrameError, match='0 <= start < end'):
        open_frames('0', 5, 5)


def test_folder_named_like_a_camera(folder, monkeypatch):
    (folder / '0').mkdir()
    cv2.imwrite(str(folder / '0' / '1.png'), picture(9))
    monkeypatch.chdir(folder)
    assert [number(frame) for frame in open_frames('0')] == [9]


def test_without_pyav(video, folder, monkeypatch):
    for name in list(sys.modules):
        if name.startswith('siamattn_mm.apis.frames.') and name.endswith(
                ('container', 'pixels', 'orientation', 'video', 'stream')):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'av', None)
    with pytest.raises(FrameError, match='clip.mp4.*PyAV.*requirements'):
        open_frames(video)
    assert len(open_frames(str(folder))) == 12


def test_real_sequence(sequences):
    frames = open_frames(str(sequences / 'bag' / 'img'), 3, 6)
    first = next(iter(frames))
    assert len(frames) == 3
    assert frames.size == (first.shape[1], first.shape[0])
