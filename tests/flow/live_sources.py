#!/usr/bin/python3
"""Live sources against doubles of cameras and servers: how soon the first picture comes, how failures read, how fast a
cancel ends what blocks.

live_sources.py FOLDER_WITH_BINARIES FOLDER_WITH_DOUBLES [CLASS…]"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BINARIES, DOUBLES = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PYTHON = '/usr/bin/python3'
SECRET = 'hunter2'


def run_probe(program, *arguments, **settings):
    environment = dict(os.environ)
    if settings:
        environment.update(settings, LD_PRELOAD=str(BINARIES / 'libv4l2_double.so'))
        asan = environment.get('ASAN_OPTIONS', '')
        environment['ASAN_OPTIONS'] = f'{asan}:verify_asan_link_order=0'.lstrip(':')
    command = [str(program), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=40, env=environment)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f'{command} ended with {result.returncode}: {result.stderr.strip()[-600:]}')
    return json.loads(result.stdout)


def probe(address, *options, **settings):
    return run_probe(BINARIES / 'source_probe', *options, address, **settings)


def watch(address, **settings):
    """A whole camera with the motion detector, for 4 s."""
    return run_probe(BINARIES.parent / 'flow' / 'camera_probe', address, 4, **settings)


@contextlib.contextmanager
def server(*command):
    """Starts a server double that prints its port and ends with its input; gives the port."""
    with subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def silent(mode, *arguments):
    return server(PYTHON, DOUBLES / 'silent_server.py', mode, *arguments)


class Clip:
    """A clip of 4 s, made once."""
    folder = tempfile.TemporaryDirectory(prefix='vedette-live-')
    path = None

    @classmethod
    def get(cls):
        if not cls.path:
            cls.path = pathlib.Path(cls.folder.name) / 'clip.mp4'
            subprocess.run(['ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=25:duration=4',
                            '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '25', '-movflags', '+faststart',
                            str(cls.path)], check=True)
        return cls.path


class LiveTest(unittest.TestCase):
    def assert_lively(self, found, frames, size, first_s=0.5):
        self.assertEqual(found['code'], 'VD_OK', found['error'])
        self.assertGreaterEqual(found['frames'], frames)
        self.assertLess(found['first_s'], first_s)
        self.assertEqual((found['width'], found['height']), size)
        self.assertTrue(found['is_live'] and found['rising'] and found['valid'])
        self.assertGreater(found['changes'], frames // 2)

    def assert_boxed(self, seen):
        self.assertLess(seen['first_s'], 0.5, seen)
        self.assertGreater(seen['pictures'], 60, seen)
        self.assertGreater(seen['boxed'], 20, seen)

    def assert_sentence(self, found, code, words):
        self.assertEqual(found['code'], code, found['error'])
        self.assertIn(words, found['error'])
        self.assertTrue(found['error'].endswith('.') and '\n' not in found['error'])
        self.assertNotIn(SECRET, json.dumps(found))


class Camera(LiveTest):
    def test_shows_pictures(self):
        found = probe('/dev/video0', '--frames', 40, V4L2_DOUBLE_MODE='normal')
        self.assert_lively(found, 40, (640, 360))
        self.assertAlmostEqual(found['last_time'], 39 * 0.04, delta=0.2)
        self.assertEqual(found['rate'], 25)

    def test_shows_boxes(self):
        self.assert_boxed(watch('/dev/video0', V4L2_DOUBLE_MODE='normal'))

    def test_odd_sizes(self):
        self.assert_lively(probe('/dev/video0', '--frames', 10, V4L2_DOUBLE_SIZE='322x182'), 10, (322, 182))

    def test_unplugged(self):
        found = probe('/dev/video0', V4L2_DOUBLE_FRAMES='10')
        self.assertGreaterEqual(found['frames'], 9)
        self.assert_sentence(found, 'VD_EIO', 'unplugged')

    def test_silent(self):
        found = probe('/dev/video0', '--open-timeout', 1, V4L2_DOUBLE_MODE='silent')
        self.assert_sentence(found, 'VD_ETIMEOUT', 'within 1 s')
        self.assertLess(found['ended_s'], 1.3)

    def test_silent_and_cancelled(self):
        found = probe('/dev/video0', '--cancel-after', 0.4, V4L2_DOUBLE_MODE='silent')
        self.assert_sentence(found, 'VD_ECANCELED', 'cancelled')
        self.assertLess(found['cancel_s'], 0.2)

    def test_busy(self):
        self.assert_sentence(probe('/dev/video0', V4L2_DOUBLE_MODE='busy'), 'VD_EIO', 'in use by another program')

    def test_missing(self):
        self.assert_sentence(probe('/dev/video251'), 'VD_ENOTFOUND', 'There is no camera at /dev/video251')


class Http(LiveTest):
    @classmethod
    def setUpClass(cls):
        cls.running = contextlib.ExitStack()
        port = cls.running.enter_context(server(PYTHON, DOUBLES / 'mjpeg_server.py', Clip.get()))
        cls.base = f'http://user:{SECRET}@127.0.0.1:{port}'
        cls.addClassCleanup(cls.running.close)

    def test_motion_jpeg(self):
        found = probe(f'{self.base}/mjpeg', '--frames', 40)
        self.assert_lively(found, 40, (320, 240))
        self.assertAlmostEqual(found['last_time'], 39 * 0.04, delta=0.3)

    def test_shows_boxes(self):
        self.assert_boxed(watch(f'{self.base}/mjpeg'))

    def test_transport_stream(self):
        # the server starts an encoder first
        self.assert_lively(probe(f'{self.base}/ts', '--frames', 20), 20, (320, 240), first_s=3)

    def test_a_file_can_be_wound(self):
        found = probe(f'{self.base}/clip.mp4', '--winds', 20)
        self.assertEqual((found['frames'], found['is_live'], found['wrong_winds']), (100, False, 0))

    def test_a_still_picture(self):
        found = probe(f'{self.base}/still.jpg')
        self.assertEqual((found['frames'], found['is_image']), (1, True))

    def test_unknown_path(self):
        self.assert_sentence(probe(f'{self.base}/nothing'), 'VD_ENOTFOUND', '404')


@unittest.skipUnless((BINARIES / 'rtsp_server').exists(), 'waits for gstreamer-rtsp-server-1.0')
class Rtsp(LiveTest):
    @classmethod
    def setUpClass(cls):
        cls.running = contextlib.ExitStack()
        port = cls.running.enter_context(server(BINARIES / 'rtsp_server', '--file', Clip.get()))
        cls.base = f'rtsp://127.0.0.1:{port}'
        cls.addClassCleanup(cls.running.close)
        probe(f'{cls.base}/live', '--frames', 1)  # the server loads its plugins

    def test_h264(self):
        found = probe(f'{self.base}/live', '--frames', 40)
        self.assert_lively(found, 40, (640, 360))
        self.assertEqual(found['rate'], 25)

    def test_shows_boxes(self):
        self.assert_boxed(watch(f'{self.base}/live'))

    def test_jpeg(self):
        self.assert_lively(probe(f'{self.base}/mjpeg', '--frames', 20), 20, (640, 360))

    def test_a_file_until_its_end(self):
        found = probe(f'{self.base}/clip')
        self.assertGreaterEqual(found['frames'], 95)
        self.assertLess(found['first_s'], 0.5)
        self.assert_sentence(found, 'VD_EEND', 'has ended the stream')

    def test_cancelled_while_it_plays(self):
        found = probe(f'{self.base}/live', '--cancel-after', 1)
        self.assert_sentence(found, 'VD_ECANCELED', 'cancelled')
        self.assertLess(found['cancel_s'], 0.2)

    def test_unknown_path(self):
        self.assert_sentence(probe(f'{self.base}/nothing'), 'VD_ENOTFOUND', '404')

    def test_password(self):
        with server(BINARIES / 'rtsp_server', '--user', 'viewer', '--password', SECRET) as port:
            self.assert_sentence(probe(f'rtsp://127.0.0.1:{port}/live'), 'VD_EIO', 'asks for a user name')
            self.assert_sentence(probe(f'rtsp://viewer:{SECRET}x@127.0.0.1:{port}/live'), 'VD_EIO', 'refused the user')
            found = probe(f'rtsp://viewer:{SECRET}@127.0.0.1:{port}/live', '--frames', 5)
            self.assert_lively(found, 5, (640, 360), first_s=1)
            self.assertNotIn(SECRET, json.dumps(found))


class Misbehaving(LiveTest):
    schemes = ('rtsp', 'http')

    def test_silent_servers_end_in_one_sentence(self):
        with silent('silent') as port:
            for scheme in self.schemes:
                found = probe(f'{scheme}://user:{SECRET}@127.0.0.1:{port}/live')
                self.assert_sentence(found, 'VD_ETIMEOUT', 'does not answer: no picture came within 5 s')
                self.assertTrue(4.9 < found['ended_s'] < 5.3, found['ended_s'])
                self.assertLess(found['closed_s'], 6)

    def test_silent_servers_can_be_cancelled(self):
        with silent('silent') as port:
            for scheme in self.schemes:
                found = probe(f'{scheme}://127.0.0.1:{port}/live', '--cancel-after', 0.5)
                self.assert_sentence(found, 'VD_ECANCELED', 'cancelled')
                self.assertLess(found['cancel_s'], 0.2)
                self.assertLess(found['closed_s'], 1.5)

    def test_garbage(self):
        with silent('garbage') as port:
            for scheme in self.schemes:
                found = probe(f'{scheme}://127.0.0.1:{port}/live')
                self.assertIn(found['code'], ('VD_EFORMAT', 'VD_EIO', 'VD_ETIMEOUT'))
                self.assertLess(found['ended_s'], 5.3)

    def test_closes(self):
        with silent('closes') as port:
            for scheme in self.schemes:
                self.assert_sentence(probe(f'{scheme}://127.0.0.1:{port}/live'), 'VD_EIO', 'closed the connection')

    def test_stalls(self):
        with silent('stalls') as port:
            found = probe(f'http://127.0.0.1:{port}/live', '--stall-timeout', 1)
            self.assertGreater(found['frames'], 10)
            self.assert_sentence(found, 'VD_ETIMEOUT', 'No picture has come')
            self.assertLess(found['ended_s'], 1.6)

    def test_stalls_before_the_first_picture(self):
        with silent('stalls', 150) as port:
            found = probe(f'http://127.0.0.1:{port}/live', '--open-timeout', 1)
            self.assertEqual(found['code'], 'VD_ETIMEOUT')
            self.assertLess(found['ended_s'], 1.3)

    def test_refusals(self):
        for status, code, words in (('401', 'VD_EIO', 'asks for a user name'), ('404', 'VD_ENOTFOUND', '404'),
                                    ('500', 'VD_EIO', 'error of its own')):
            with silent(status) as port:
                for scheme in self.schemes:
                    self.assert_sentence(probe(f'{scheme}://127.0.0.1:{port}/live'), code, words)

    def test_unknown_host(self):
        for scheme in self.schemes:
            found = probe(f'{scheme}://user:{SECRET}@no-such-host.invalid/live')
            self.assert_sentence(found, 'VD_ENOTFOUND', "The host 'no-such-host.invalid' is not known")


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=1)
