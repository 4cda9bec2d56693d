"""Videos as people have them: phones, cuts, codecs, damage, odd names."""
import os
import shutil
import sys
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from siamattn_mm.apis import FrameError, open_frames

SIZE = (64, 48)
COUNT = 30


def picture(index, size=SIZE):
    """A frame whose bars spell its number; its top is red."""
    image = np.full((size[1], size[0], 3), 30, np.uint8)
    for bit in range(8):
        if index >> bit & 1:
            image[:, bit * 8:bit * 8 + 8] = (200, 200, 200)
    image[:8] = (20, 20, 220)
    return image


def number(image):
    """The number of a frame that :func:`picture` made."""
    return sum((int(image[12:, bit * 8 + 2:bit * 8 + 6].mean()) > 115) << bit
               for bit in range(8))


def write(path, codec='libx264', pix_fmt='yuv420p', images=None, times=None,
          **options):
    """Encode frames; ``times`` are milliseconds, by default 50 apart."""
    images = [picture(i) for i in range(COUNT)] if images is None else images
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=20, options=options)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index, image in enumerate(images):
            kind = 'bgr24' if image.ndim == 3 else 'gray16le'
            frame = av.VideoFrame.from_ndarray(image, format=kind)
            frame.pts = index if times is None else times[index]
            frame.time_base = Fraction(1, 20 if times is None else 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    """A key frame every 10 frames, and frames that refer to later ones."""
    return write(tmp_path_factory.mktemp('video') / 'clip.mp4', g='10',
                 bf='2', sc_threshold='0')


def remux(source, path, start=0., angle=None):
    """Copy without encoding, from a time on, or with a rotation tag."""
    with av.open(source) as old, av.open(str(path), 'w') as new:
        stream = old.streams.video[0]
        if not hasattr(new, 'add_stream_from_template'):
            pytest.skip('this PyAV copies no streams')
        copy = new.add_stream_from_template(stream)
        if angle is not None:
            if not hasattr(copy, 'set_display_rotation'):
                pytest.skip('this PyAV writes no rotation')
            copy.set_display_rotation(angle)
        first = None
        if start:
            old.seek(int(start / stream.time_base), stream=stream)
        for packet in old.demux(stream):
            if packet.dts is None:
                continue
            if first is None and start:
                first = int(start / stream.time_base)
            packet.pts -= first or 0
            packet.dts -= first or 0
            packet.stream = copy
            new.mux(packet)
    return str(path)


@pytest.mark.parametrize('angle, turned', [(0, None), (90, -1), (180, 2),
                                           (270, 1)])
def test_rotated_video_is_upright(video, tmp_path, angle, turned):
    path = remux(video, tmp_path / 'phone.mp4', angle=angle)
    frames = open_frames(path)
    assert frames.size == (SIZE if angle in (0, 180) else SIZE[::-1])
    stored = list(open_frames(video))
    for frame, original in zip(frames, stored):
        # PyAV counts against the clock.
        expected = np.rot90(original, angle // 90)
        assert frame.flags.c_contiguous
        assert np.array_equal(frame, expected)
    assert len(frames) == COUNT


def test_phone_video_of_the_cases(shared):
    path = str(shared / 'cases' / 'phone_rotation' / 'rot90.mp4')
    if not os.path.isfile(path):
        pytest.skip('no such case')
    frames = open_frames(path)
    assert frames.size == (182, 320) and len(frames) == 14
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    for frame in frames:
        expected = capture.read()[1]
        assert np.abs(frame.astype(int) - expected).mean() < 1


def test_av1(tmp_path, shared):
    path = str(shared / 'cases' / 'av1' / 'av1.mp4')
    if not os.path.isfile(path):
        pytest.skip('no such case')
    frames = open_frames(path)
    assert (len(frames), frames.size) == (14, (320, 182))
    read = list(frames)
    assert len(read) == 14 and read[0].std() > 20


@pytest.mark.parametrize('name, codec, pix_fmt', [
    ('a.mkv', 'ffv1', 'bgr0'), ('a.webm', 'libvpx-vp9', 'yuv420p'),
    ('a.avi', 'mjpeg', 'yuvj420p'), ('a.mov', 'prores_ks', 'yuv422p10le'),
    ('a.mp4', 'libx265', 'yuv420p10le'), ('a.mp4', 'libx264', 'gray'),
    ('a.ts', 'mpeg2video', 'yuv420p'), ('a.flv', 'libx264', 'yuv444p'),
    ('a.gif', 'gif', 'rgb8')
])
def test_codecs_and_depths(tmp_path, name, codec, pix_fmt):
    if codec not in av.codec.codecs_available:
        pytest.skip(f'this FFmpeg has no {codec}')
    frames = open_frames(write(tmp_path / name, codec, pix_fmt))
    assert len(frames) == COUNT and frames.size == SIZE
    assert [number(frame) for frame in frames] == list(range(COUNT))
    assert frames.fps == pytest.approx(20, rel=.02)
    first = next(iter(frames))
    assert first.dtype == np.uint8 and first.shape == (SIZE[1], SIZE[0], 3)
    if pix_fmt != 'gray':
        assert first[3, 30].argmax() == 2 and first[3, 30, 2] > 180


@pytest.mark.parametrize('start, first', [(0.5, 10), (0.75, 15), (0.95, 19)])
@pytest.mark.parametrize('suffix', ['.mp4', '.mov'])
def test_lossless_cut_gives_what_a_player_shows(video, tmp_path, start, first,
                                                suffix):
    # What lies between the key frame and the cut is stored, and not shown.
    path = remux(video, tmp_path / f'cut{suffix}', start=start)
    frames = open_frames(path)
    assert [number(frame) for frame in frames] == list(range(first, COUNT))
    assert len(frames) == COUNT - first


def test_variable_rate(tmp_path):
    times = np.cumsum([50, 10, 200, 90, 35] * 6).tolist()
    path = write(tmp_path / 'phone.mp4', times=times)
    frames = open_frames(path, 3, 28)
    assert [number(frame) for frame in frames] == list(range(3, 28))
    assert frames.fps == pytest.approx(1000 * COUNT / times[-1], rel=.1)


@pytest.mark.parametrize('name', ['a.mkv', 'a.webm', 'a.flv', 'a.mp4', 'a.ts'])
def test_truncated_file(tmp_path, name):
    codec = 'libvpx' if name.endswith('webm') else 'libx264'
    noise = np.random.default_rng(0).integers(
        0, 255, (COUNT, SIZE[1], SIZE[0], 3), np.uint8)
    options = {'movflags': 'faststart'} if name.endswith('mp4') else {}
    path = tmp_path / name
    with av.open(str(path), 'w', options=options) as container:
        stream = container.add_stream(codec, rate=20)
        stream.width, stream.height = SIZE
        stream.pix_fmt = 'yuv420p'
        for image in noise:
            container.mux(stream.encode(
                av.VideoFrame.from_ndarray(image, format='bgr24')))
        container.mux(stream.encode())
    assert len(open_frames(str(path))) == COUNT
    content = path.read_bytes()
    path.write_bytes(content[:len(content) * 6 // 10])
    if name.endswith('ts'):
        # A broadcast has no length: what is there is all of it.
        with pytest.warns(UserWarning, match='are damaged'):
            assert 10 < len(open_frames(str(path))) < COUNT
        return
    with pytest.raises(FrameError, match='truncated or damaged') as caught:
        open_frames(str(path))
    readable = int(str(caught.value).split('end=')[1].split()[0])
    assert 5 < readable < COUNT - 5
    frames = open_frames(str(path), 0, readable)
    assert len(list(frames)) == len(frames) == readable


def damage(path, index, keep=6):
    """Spoil a packet, counted as the file stores them."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0)]
    content, at = path.read_bytes(), 0
    for packet in packets[:index + 1]:
        at = content.index(packet, at) + len(packet)
    size = len(packets[index])
    path.write_bytes(content[:at - size + keep] + b'\x55' * (size - keep) +
                     content[at:])


@pytest.mark.parametrize('codec, pix_fmt, options', [
    ('ffv1', 'bgr0', dict(slicecrc='1')), ('mjpeg', 'yuvj420p', {}),
    ('libvpx-vp9', 'yuv420p', {}), ('libx264', 'yuv420p', dict(bf='0')),
    ('libx264', 'yuv420p', dict(bf='3', g='30'))])
def test_damaged_in_the_middle(tmp_path, codec, pix_fmt, options):
    path = tmp_path / 'damaged.mkv'
    write(path, codec, pix_fmt, **options)
    damage(path, 17, 0)
    with pytest.raises(FrameError) as caught:
        open_frames(str(path))
    message = str(caught.value)
    assert 'damaged.mkv' in message and 'cannot be decoded' in message
    assert '\n' not in message
    readable = int(message.split('end=')[1].split()[0])
    # Frames are stored in another order where they refer to later ones.
    assert readable == 17 or 13 <= readable <= 20 and options.get('bf') == '3'
    assert [number(f) for f in open_frames(str(path), 0, readable)
            ] == list(range(readable))


def test_damage_that_the_decoder_patches(tmp_path):
    path = tmp_path / 'patched.avi'
    write(path, 'mpeg4')
    damage(path, 17)
    with pytest.warns(UserWarning, match=r'patched.avi.*: 1 of .*\(17\)'):
        frames = open_frames(str(path))
    assert len(list(frames)) == COUNT
    # Nothing to say about the others.
    assert len(open_frames(str(path), 0, 17)) == 17


def test_damaged_from_the_start(tmp_path):
    path = tmp_path / 'damaged.avi'
    write(path, 'mjpeg', 'yuvj420p')
    damage(path, 0, 0)
    with pytest.raises(FrameError, match='frame 0 cannot be') as caught:
        open_frames(str(path))
    assert 'end=' not in str(caught.value)


def test_picture_that_changes_its_size(tmp_path):
    pieces = []
    for width in (64, 48):
        piece = tmp_path / f'{width}.ts'
        write(piece, 'mpeg2video', images=[picture(1)[:, :width]] * 12)
        pieces.append(piece.read_bytes())
    path = tmp_path / 'both.ts'
    path.write_bytes(b''.join(pieces))
    with pytest.raises(FrameError, match=r'is 48x48, .* are 64x48') as caught:
        open_frames(str(path))
    assert 'both.ts' in str(caught.value)
    readable = int(str(caught.value).split('end=')[1].split()[0])
    # The last one in front of the change may get lost in it.
    assert readable in (11, 12)
    assert len(list(open_frames(str(path), 0, readable))) == readable


def test_sound_without_picture(tmp_path):
    path = str(tmp_path / 'song.mp4')
    with av.open(path, 'w') as container:
        stream = container.add_stream('aac', rate=8000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 8000), np.float32), format='fltp', layout='mono')
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(FrameError, match='song.mp4.* holds no video'):
        open_frames(path)


def test_codec_that_nobody_can_decode(video, tmp_path):
    path = tmp_path / 'odd.mp4'
    with open(video, 'rb') as file:
        content = file.read()
    path.write_bytes(content.replace(b'avc1', b'zzzz'))
    with pytest.raises(FrameError, match='odd.mp4.*zzzz') as caught:
        open_frames(str(path))
    assert '\n' not in str(caught.value)


@pytest.mark.skipif(sys.platform != 'linux', reason='names are UTF-8 there')
@pytest.mark.parametrize('name', [b'\xff\xe4.mp4', b'dir\xfc/a.mp4',
                                  'größe.mp4'.encode(), b'a:b%03d.mp4',
                                  b'-.mp4', b'http:.mp4'])
def test_names_of_any_bytes(video, tmp_path, name):
    path = os.path.join(os.fsencode(str(tmp_path)), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(video, path)
    for source in (os.fsdecode(path), path):
        frames = open_frames(source)
        assert [number(frame) for frame in frames] == list(range(COUNT))


@pytest.mark.skipif(sys.platform != 'linux', reason='names are UTF-8 there')
def test_folders_and_images_of_any_bytes(tmp_path):
    folder = os.path.join(os.fsencode(str(tmp_path)), b'\xe4\xff')
    os.mkdir(folder)
    for index in range(3):
        with open(os.path.join(folder, b'\xf6%d.png' % index), 'wb') as file:
            file.write(cv2.imencode('.png', picture(index))[1])
    frames = open_frames(os.fsdecode(folder))
    assert [number(frame) for frame in frames] == [0, 1, 2]
    with open(os.path.join(folder, b'\xf61.png'), 'wb') as file:
        file.write(b'no image')
    with pytest.raises(FrameError, match='cannot be read as an image'):
        list(frames)


def test_avi_that_repeats_frames(tmp_path):
    # Screen recorders leave out what does not change.
    path = write(tmp_path / 'a.avi', 'mjpeg', 'yuvj420p',
                 times=[i * 100 for i in range(COUNT)])
    frames = open_frames(path)
    assert [number(frame) for frame in frames] == list(range(COUNT))


def test_file_address(video):
    assert len(open_frames(f'file://{video}')) == COUNT
