"""Writing videos, whole or not at all."""
import os

import cv2
import numpy as np
import pytest

from siamattn_mm.apis import open_frames
from siamattn_mm.visualization import ffmpeg_writer, written_video
from siamattn_mm.visualization import video as video_module
from siamattn_mm.visualization.ffmpeg_writer import FfmpegWriter


def ramp(index, size=(64, 48)):
    return np.full((size[1], size[0], 3), 20 * index + 10, np.uint8)


@pytest.mark.parametrize('size, even', [((64, 48), (64, 48)),
                                        ((65, 49), (64, 48)),
                                        ((40, 30), (40, 30)),
                                        ((16, 8), (16, 8))])
@pytest.mark.parametrize('ffmpeg', [True, False])
def test_what_is_written_can_be_read(tmp_path, size, even, ffmpeg, capfd,
                                     monkeypatch):
    if not ffmpeg:
        monkeypatch.setattr(ffmpeg_writer, 'imageio_ffmpeg', None)
    elif not FfmpegWriter.is_available():
        pytest.skip('imageio-ffmpeg is not installed')
    path = str(tmp_path / 'new' / 'clip.mp4')
    level = cv2.getLogLevel()
    with written_video(path, size, 12.5) as write:
        for index in range(9):
            write(ramp(index, size))
        assert not os.path.exists(path)
    assert os.listdir(os.path.dirname(path)) == ['clip.mp4']
    frames = open_frames(path)
    assert (len(frames), frames.fps, frames.size) == (9, 12.5, even)
    for index, frame in enumerate(frames):
        assert abs(frame.mean() - (20 * index + 10)) < 6
    # Codecs that are not there are no news, other messages still are.
    assert capfd.readouterr() == ('', '')
    assert cv2.getLogLevel() == level


def test_h264_where_it_can_be_had(tmp_path):
    if not FfmpegWriter.is_available():
        pytest.skip('imageio-ffmpeg is not installed')
    path = str(tmp_path / 'clip.mp4')
    with written_video(path, (64, 48), 25) as write:
        for index in range(3):
            write(ramp(index))
    capture = cv2.VideoCapture(path)
    codec = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, 'little')
    assert codec in (b'avc1', b'h264')
    # Players start with the index, which lies in front of the frames.
    data = (tmp_path / 'clip.mp4').read_bytes()
    assert data.index(b'moov') < data.index(b'mdat')


@pytest.mark.parametrize('error', [RuntimeError, KeyboardInterrupt])
def test_interrupted_writing_leaves_nothing(tmp_path, error):
    path = tmp_path / 'clip.mp4'
    path.write_text('the last one')
    with pytest.raises(error):
        with written_video(str(path), (64, 48), 25) as write:
            write(ramp(0))
            raise error
    assert os.listdir(str(tmp_path)) == ['clip.mp4']
    assert path.read_text() == 'the last one'


@pytest.mark.parametrize('frame', [
    np.zeros((64, 48, 3), np.uint8), np.zeros((48, 64), np.uint8),
    np.zeros((48, 64, 3), np.float32)
])
def test_frames_that_opencv_would_drop(tmp_path, frame):
    with pytest.raises(ValueError, match=r'clip.mp4.*\(48, 64, 3\)'):
        with written_video(str(tmp_path / 'clip.mp4'), (64, 48), 25) as write:
            write(frame)


def test_no_codec(tmp_path, monkeypatch):
    monkeypatch.setattr(video_module, 'H264', 'none')
    monkeypatch.setattr(video_module, 'FALLBACK', 'nope')
    monkeypatch.setattr(ffmpeg_writer, 'imageio_ffmpeg', None)
    with pytest.raises(OSError, match='cannot write .*clip.mp4.*none, nope'):
        with written_video(str(tmp_path / 'clip.mp4'), (64, 48), 25):
            pass
    assert os.listdir(str(tmp_path)) == []


def test_frames_that_got_lost(tmp_path, monkeypatch):

    class Lossy:
        """Says that all is well, like OpenCV on a full disk."""

        def __init__(self, *args):
            pass

        def isOpened(self):
            return True

        def write(self, frame):
            pass

        release = isOpened

    monkeypatch.setattr(video_module.cv2, 'VideoWriter', Lossy)
    with pytest.raises(OSError, match='wrote 1 frames, but 0'):
        with written_video(str(tmp_path / 'clip.mp4'), (64, 48), 25) as write:
            write(ramp(0))
    assert os.listdir(str(tmp_path)) == []
