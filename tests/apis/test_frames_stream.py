"""Frames of addresses and device files."""
import functools
import http.server
import os
import socket
import socketserver
import struct
import threading
import time
import urllib.request

import av
import cv2
import numpy as np
import pytest

from siamattn_mm.apis import FrameError, open_frames
from siamattn_mm.apis.frames import CameraFrames, stream

SIZE = (64, 48)


def picture(index):
    return np.full((SIZE[1], SIZE[0], 3), 20 + 20 * index, np.uint8)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files, as a server that cannot seek, and a camera's pictures."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path != '/camera':
            super().do_GET()
            return
        self.send_response(200)
        self.send_header('Content-Type',
                         'multipart/x-mixed-replace; boundary=frame')
        self.end_headers()
        for index in range(8):
            data = cv2.imencode('.jpg', picture(index))[1].tobytes()
            self.wfile.write(b'--frame\r\nContent-Type: image/jpeg\r\n'
                             b'Content-Length: %d\r\n\r\n' % len(data))
            self.wfile.write(data + b'\r\n')


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp('http')
    writer = cv2.VideoWriter(
        str(folder / 'clip.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 20., SIZE)
    for index in range(8):
        writer.write(picture(index))
    writer.release()
    writer = cv2.VideoWriter(
        str(folder / 'clip.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 20., SIZE)
    for index in range(8):
        writer.write(picture(index))
    writer.release()
    noise = np.random.default_rng(0)
    writer = cv2.VideoWriter(
        str(folder / 'large.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 20.,
        (640, 480))
    for _ in range(12):
        writer.write(noise.integers(0, 255, (480, 640, 3), np.uint8))
    writer.release()
    (folder / 'page.html').write_text('<html>no video</html>' * 99)
    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{server.server_address[1]}'
    server.shutdown()
    server.server_close()


def levels(frames):
    return [round((frame.mean() - 20) / 20) for frame in frames]


@pytest.mark.parametrize('name', ['clip.mp4', 'clip.avi'])
def test_file_on_a_server(server, name):
    frames = open_frames(f'{server}/{name}')
    assert frames.size == SIZE
    with pytest.raises(TypeError, match='no last frame'):
        len(frames)
    assert levels(frames) == list(range(8))
    # A stream that has ended starts again, one that has not goes on.
    iterator = iter(frames)
    assert levels([next(iterator), next(iterator)]) == [0, 1]
    assert levels(frames) == [2, 3, 4, 5, 6, 7]
    frames = open_frames(f'{server}/{name}', 2, 5)
    assert len(frames) == 3 and levels(frames) == [2, 3, 4]


@pytest.mark.parametrize('end', [9, None])
def test_stream_that_ends_too_early(server, end):
    frames = open_frames(f'{server}/clip.avi', 8 if end is None else 0, end)
    with pytest.raises(FrameError, match='ended at frame 8'):
        list(frames)


def test_large_file_with_its_index_at_the_end(server):
    # More than FFmpeg keeps in memory, which cannot go back to the frames.
    frames = open_frames(f'{server}/large.mp4')
    assert frames.size == (640, 480)
    assert len(list(frames)) == 12


def test_camera_on_a_network(server):
    assert levels(open_frames(f'{server}/camera', 1, 8)) == list(range(1, 8))
    read = []
    with pytest.raises(FrameError, match='camera.* stopped at frame 8: '):
        for frame in open_frames(f'{server}/camera'):
            read.append(frame)
    assert levels(read) == list(range(8))


class CameraHandler(socketserver.StreamRequestHandler):
    """Speaks as much RTSP as a client needs; the stream is MPEG-TS in RTP."""

    content = b''
    sdp = ('v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n'
           'm=video 0 RTP/AVP 33\r\na=control:track1\r\n')

    def handle(self):
        for line in iter(self.rfile.readline, b''):
            method, number = line.split()[0].decode(), '0'
            for header in iter(self.rfile.readline, b'\r\n'):
                if header.lower().startswith(b'cseq:'):
                    number = header.split()[1].decode()
            extra, body = dict(
                OPTIONS=('Public: DESCRIBE, SETUP, PLAY\r\n', ''),
                DESCRIBE=('Content-Type: application/sdp\r\nContent-Length: '
                          f'{len(self.sdp)}\r\n', self.sdp),
                SETUP=('Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n'
                       'Session: 1\r\n', '')).get(method, ('', ''))
            self.wfile.write((f'RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{extra}'
                              f'\r\n{body}').encode())
            if method == 'PLAY':
                self.play()
                return

    def play(self):
        size = 7 * 188
        for index in range(0, len(self.content), size):
            packet = struct.pack('>BBHII', 0x80, 33, index // size,
                                 300 * index // size, 7)
            packet += self.content[index:index + size]
            self.wfile.write(b'$\0' + struct.pack('>H', len(packet)) + packet)


def test_rtsp_camera(tmp_path):
    path = str(tmp_path / 'a.ts')
    with av.open(path, 'w') as container:
        video = container.add_stream('mpeg2video', rate=20)
        video.width, video.height = SIZE
        for index in range(9):
            container.mux(video.encode(
                av.VideoFrame.from_ndarray(picture(index), format='bgr24')))
        container.mux(video.encode())
    with open(path, 'rb') as file:
        handler = type('Camera', (CameraHandler, ),
                       dict(content=file.read()))
    with socketserver.ThreadingTCPServer(('127.0.0.1', 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'127.0.0.1:{server.server_address[1]}/cam'
        frames = open_frames(f'rtsp://me:secret@{address}')
        assert frames.source == f'rtsp://{address}' and frames.size == SIZE
        # The last one ends with the one behind it.
        assert levels(frames)[:8] == list(range(8))
        server.shutdown()


@pytest.mark.parametrize('path, message', [('no.mp4', '404'),
                                           ('page.html', 'as a video')])
def test_nothing_to_see(server, path, message):
    with pytest.raises(FrameError, match=message) as caught:
        open_frames(f'{server}/{path}')
    assert '\n' not in str(caught.value) and path in str(caught.value)


@pytest.mark.parametrize('scheme', ['rtsp', 'http', 'rtmp', 'tcp'])
def test_no_server(scheme):
    with pytest.raises(FrameError, match='opened: Connection refused') as e:
        open_frames(f'{scheme}://me:secret@127.0.0.1:9/cam')
    assert 'secret' not in str(e.value) and '127.0.0.1:9/cam' in str(e.value)


def test_unknown_protocol():
    with pytest.raises(FrameError, match="'foo://x' cannot be opened: Proto"):
        open_frames('foo://x')


@pytest.mark.parametrize('scheme', ['rtsp', 'http'])
def test_server_that_does_not_answer(scheme, monkeypatch):
    monkeypatch.setattr(stream, 'TIMEOUT', .5)
    with socket.socket() as silent:
        silent.bind(('127.0.0.1', 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(FrameError, match='cannot be opened'):
            open_frames(f'{scheme}://127.0.0.1:{silent.getsockname()[1]}/c')
        assert time.monotonic() - began < 5


def test_named_pipe(tmp_path, server):
    path = str(tmp_path / 'pipe')
    os.mkfifo(path)
    with urllib.request.urlopen(f'{server}/clip.avi') as answer:
        content = answer.read()

    def feed():
        with open(path, 'wb') as pipe:
            pipe.write(content)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    assert levels(open_frames(path)) == list(range(8))
    thread.join()


@pytest.mark.parametrize('content', [b'', b'no video' * 999])
def test_named_pipe_without_a_video(tmp_path, content):
    path = str(tmp_path / 'pipe')
    os.mkfifo(path)

    def feed():
        with open(path, 'wb') as pipe:
            pipe.write(content)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    with pytest.raises(FrameError, match='pipe.*cannot be read as a video'):
        open_frames(path)
    thread.join()


def test_device_file_is_a_camera(monkeypatch):
    opened = []

    class Capture:
        """Gives one picture for ever."""

        def __init__(self, *args):
            opened.append(args)

        def isOpened(self):
            return True

        def get(self, prop):
            return 30.

        def read(self):
            return True, picture(3)

    monkeypatch.setattr(cv2, 'VideoCapture', Capture)
    # Any device will do: what it is asked for is what counts.
    frames = open_frames('/dev/null', 0, 2)
    assert isinstance(frames, CameraFrames) and levels(frames) == [3, 3]
    assert opened == [('/dev/null', cv2.CAP_V4L2)]
    frames = CameraFrames('/dev/video7', 0, 2)
    assert opened[-1] == (7, )
    assert (frames.fps, frames.size) == (30., SIZE)


@pytest.mark.parametrize('path, error', [
    ('/dev/null', FrameError), ('/dev/video99', FileNotFoundError)])
def test_device_that_is_no_camera(path, error):
    with pytest.raises(error, match=path):
        open_frames(path)
