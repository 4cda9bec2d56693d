"""Writing videos, whole or not at all."""
import os
import sys

import av
import cv2
import numpy as np
import pytest

from siamattn_mm.apis import open_frames
from siamattn_mm.visualization import av_writer, written_video


def ramp(index, size=(64, 48)):
    return np.full((size[1], size[0], 3), 20 * index + 10, np.uint8)


@pytest.mark.parametrize('size, even', [((64, 48), (64, 48)),
                                        ((65, 49), (64, 48)),
                                        ((40, 30), (40, 30)),
                                        ((16, 8), (16, 8))])
@pytest.mark.parametrize('codecs', [av_writer.CODECS, ('mpeg4', )])
def test_what_is_written_can_be_read(tmp_path, size, even, codecs, capfd,
                                     monkeypatch):
    monkeypatch.setattr(av_writer, 'CODECS', codecs)
    path = str(tmp_path / 'new' / 'clip.mp4')
    with written_video(path, size, 12.5) as write:
        for index in range(9):
            write(ramp(index, size))
        assert not os.path.exists(path)
    assert os.listdir(os.path.dirname(path)) == ['clip.mp4']
    frames = open_frames(path)
    assert (len(frames), frames.fps, frames.size) == (9, 12.5, even)
    for index, frame in enumerate(frames):
        assert abs(frame.mean() - (20 * index + 10)) < 6
    assert capfd.readouterr() == ('', '')


def test_h264_where_it_can_be_had(tmp_path):
    if 'libx264' not in av.codec.codecs_available:
        pytest.skip('this FFmpeg has no libx264')
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
def test_frames_that_do_not_fit(tmp_path, frame):
    with pytest.raises(ValueError, match=r'clip.mp4.*\(48, 64, 3\)'):
        with written_video(str(tmp_path / 'clip.mp4'), (64, 48), 25) as write:
            write(frame)


@pytest.mark.parametrize('codecs, size', [(('nope', ), (64, 48)),
                                          (av_writer.CODECS, (1, 48))])
def test_no_codec(tmp_path, monkeypatch, codecs, size):
    monkeypatch.setattr(av_writer, 'CODECS', codecs)
    with pytest.raises(OSError, match='clip.mp4.*cannot be written: no codec'):
        with written_video(str(tmp_path / 'clip.mp4'), size, 25):
            pass
    assert os.listdir(str(tmp_path)) == []


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no /dev/full')
def test_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(
        av_writer, 'open', lambda path, mode: open('/dev/full', mode, 0),
        raising=False)
    with pytest.raises(OSError, match="clip.mp4' cannot be written: No space"):
        with written_video(str(tmp_path / 'clip.mp4'), (64, 48), 25) as write:
            for index in range(9):
                write(ramp(index))
    assert os.listdir(str(tmp_path)) == []


def test_frames_that_got_lost(tmp_path, monkeypatch):
    # Says that all is well.
    monkeypatch.setattr(av_writer.AvWriter, 'write', lambda *args: None)
    with pytest.raises(OSError, match='wrote 1 frames, but 0'):
        with written_video(str(tmp_path / 'clip.mp4'), (64, 48), 25) as write:
            write(ramp(0))
    assert os.listdir(str(tmp_path)) == []


@pytest.mark.parametrize('fps', [29.97, 30000 / 1001, 1 / 3, 1000.])
def test_rates(tmp_path, fps):
    path = str(tmp_path / 'clip.mp4')
    with written_video(path, (64, 48), fps) as write:
        for index in range(5):
            write(ramp(index))
    frames = open_frames(path)
    assert len(frames) == 5
    assert frames.fps == pytest.approx(fps, rel=1e-3)


@pytest.mark.skipif(sys.platform != 'linux', reason='names are UTF-8 there')
def test_names_of_any_bytes(tmp_path):
    path = os.fsdecode(
        os.path.join(os.fsencode(str(tmp_path)), b'\xff/\xe4:%d.mp4'))
    with written_video(path, (64, 48), 25) as write:
        write(ramp(5))
    assert len(open_frames(path)) == 1
