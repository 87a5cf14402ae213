"""Drives the window through the accessibility tree, as assistive technology sees it, and through X as a hand does.

Run a test file inside run_in_x: it expects a display, a session bus and a home of its own.
VEDETTE_PROGRAM is the program; VEDETTE_SHARED the folder with clips and models.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import gi

gi.require_version('Atspi', '2.0')
gi.require_version('Gdk', '3.0')
from gi.repository import Atspi, Gdk, GLib  # noqa: E402

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
PROGRAM = os.environ.get('VEDETTE_PROGRAM', os.path.join(ROOT, 'build/release/app/vedette'))
SHARED = os.environ.get('VEDETTE_SHARED', os.path.join(ROOT, '../shared'))
SLOW = float(os.environ.get('VEDETTE_TEST_SLOWNESS', '1'))  # sanitizers: deadlines are multiplied by it

BOX = re.compile(r'([^;:]+?) (\d\.\d+)(?: #\d+)?(?: [^;]*?)? at (-?\d+) (-?\d+) (-?\d+) (-?\d+)')


def pump():
    """Takes in what the accessibility bus has sent, or cached values stay old."""
    context = GLib.MainContext.default()
    while context.iteration(False):
        pass


def wait_until(condition, what, seconds=10.0, every=0.01):
    """Returns the condition's first true value; fails with `what` at the deadline."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        pump()
        try:
            value = condition()
        except GLib.Error:  # an object that has just gone
            value = None
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'waited {seconds * SLOW:g} s in vain: {what}')
        time.sleep(every)


def walk(accessible, depth=0):
    yield accessible
    if depth > 40:
        return
    for i in range(accessible.get_child_count()):
        child = accessible.get_child_at_index(i)
        if child is not None:
            yield from walk(child, depth + 1)


def is_showing(accessible):
    return accessible.get_state_set().contains(Atspi.StateType.SHOWING)


def text_of(accessible):
    """What a label, button or entry says."""
    if 'Text' in accessible.get_interfaces():
        return Atspi.Text.get_text(accessible, 0, -1)
    return accessible.get_name() or ''


def xdotool(*arguments):
    return subprocess.run(['xdotool', *map(str, arguments)], check=True, capture_output=True, text=True,
                          timeout=20).stdout


class Picture:
    """What the picture says of itself: the frame shown and its boxes."""

    def __init__(self, description):
        self.text = description
        frame = re.match(r'frame (\d+)', description)
        self.frame = int(frame.group(1)) if frame else None
        boxes = description.split(':', 1)[1] if ':' in description else ''
        self.boxes = [(name.strip(), float(score), tuple(map(int, corners)))
                      for name, score, *corners in BOX.findall(boxes)]

    def __repr__(self):
        return self.text


class Program:
    """The program under test. Its messages are kept in `log`."""

    def __init__(self, *arguments, environment=None):
        self.log = os.path.join(os.environ['HOME'], f'vedette-{time.monotonic_ns()}.log')
        env = dict(os.environ, G_DEBUG='fatal-warnings', LC_ALL='C.UTF-8')
        env.update(environment or {})
        with open(self.log, 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen([PROGRAM, *arguments], env=env, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.app = self.wait(self._application, 'the program appears in the accessibility tree', 20)
        self.frame = self.wait(lambda: self.find('frame'), 'the window is shown', 20)
        self.window = self.wait(self._x_window, 'the window is mapped', 20)
        xdotool('windowfocus', '--sync', self.window)

    def _application(self):
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            app = desktop.get_child_at_index(i)
            if app is not None and app.get_process_id() == self.pid:
                return app
        return None

    def _x_window(self):
        try:
            return xdotool('search', '--onlyvisible', '--pid', self.pid).split()[-1:][0]
        except (subprocess.CalledProcessError, IndexError):
            return None

    def messages(self):
        with open(self.log, encoding='utf-8', errors='replace') as log:
            return log.read()

    def wait(self, condition, what, seconds=10.0):
        """As wait_until, and fails at once when the program has ended."""
        def alive():
            if self.process.poll() is not None:
                raise AssertionError(f'the program ended ({self.process.returncode}) while waiting: {what}\n'
                                     + self.messages())
            return condition()
        try:
            return wait_until(alive, what, seconds)
        except AssertionError as error:
            if self.process.poll() is None and os.environ.get('VEDETTE_TEST_TREE'):
                print(self.tree())
            raise AssertionError(f'{error}\n{self.messages()}') from None

    def find_all(self, role=None, name=None, showing=True):
        found = []
        for accessible in walk(self.app):
            if ((role is None or accessible.get_role_name() == role)
                    and (name is None or (accessible.get_name() or '') == name)
                    and (not showing or is_showing(accessible))):
                found.append(accessible)
        return found

    def find(self, role=None, name=None, showing=True):
        found = self.find_all(role, name, showing)
        return found[0] if found else None

    def get(self, role=None, name=None, seconds=10.0):
        return self.wait(lambda: self.find(role, name), f'{role or "object"} "{name or ""}" is shown', seconds)

    def tree(self):
        lines = []

        def add(accessible, depth):
            lines.append(f'{"  " * depth}{accessible.get_role_name()} "{accessible.get_name()}" '
                         f'{accessible.get_description()!r} {"" if is_showing(accessible) else "(hidden)"}')
            for i in range(accessible.get_child_count()):
                child = accessible.get_child_at_index(i)
                if child is not None:
                    add(child, depth + 1)
        add(self.app, 0)
        return '\n'.join(lines)

    def picture(self):
        """The picture's own words, fresh from the program."""
        if not hasattr(self, '_picture'):
            self._picture = self.get(name='Picture')
        self._picture.clear_cache()
        return Picture(self._picture.get_description() or '')

    def picture_extents(self):
        self.picture()
        return Atspi.Component.get_extents(self._picture, Atspi.CoordType.SCREEN)

    def notice(self):
        """The text of the info bar that is shown, or ''."""
        bars = self.find_all('info bar')
        words = [text_of(part) for bar in bars for part in walk(bar)
                 if part.get_role_name() == 'label' and is_showing(part)]
        return ' '.join(word for word in words if word)

    def key(self, *keys):
        """Presses keys (names as xdotool has them) in the window."""
        xdotool('windowfocus', self.window, 'key', '--delay', '0', *keys)

    def click(self, accessible):
        extents = Atspi.Component.get_extents(accessible, Atspi.CoordType.SCREEN)
        xdotool('mousemove', extents.x + extents.width // 2, extents.y + extents.height // 2, 'click', 1)

    def close(self, seconds=5.0):
        """Closes the window as a window manager does; returns how long the program took to end."""
        began = time.monotonic()
        if self.process.poll() is None:
            close_window(int(self.window))
        try:
            status = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'the program did not end within {seconds * SLOW:g} s of closing its window\n'
                                 + self.messages()) from None
        took = time.monotonic() - began
        if status != 0:
            raise AssertionError(f'the program ended with {status}\n' + self.messages())
        return took

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def close_window(window):
    """Sends WM_DELETE_WINDOW, as the button in a title bar does; xdotool's windowclose would destroy it."""
    import ctypes
    xlib = ctypes.CDLL('libX11.so.6')
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    xlib.XInternAtom.restype = ctypes.c_ulong

    class ClientMessage(ctypes.Structure):
        _fields_ = [('type', ctypes.c_int), ('serial', ctypes.c_ulong), ('send_event', ctypes.c_int),
                    ('display', ctypes.c_void_p), ('window', ctypes.c_ulong), ('message_type', ctypes.c_ulong),
                    ('format', ctypes.c_int), ('data', ctypes.c_long * 5), ('room', ctypes.c_long * 16)]

    display = xlib.XOpenDisplay(None)
    event = ClientMessage(type=33, window=window, format=32)
    event.message_type = xlib.XInternAtom(display, b'WM_PROTOCOLS', 0)
    event.data[0] = xlib.XInternAtom(display, b'WM_DELETE_WINDOW', 0)
    xlib.XSendEvent(ctypes.c_void_p(display), ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    xlib.XCloseDisplay(ctypes.c_void_p(display))


def screenshot(extents=None):
    """The screen, or a part of it, as an array of height × width × RGB. Takes a few milliseconds."""
    import numpy
    root = Gdk.get_default_root_window()
    if extents is None:
        x, y, width, height = 0, 0, root.get_width(), root.get_height()
    else:
        x, y, width, height = extents.x, extents.y, extents.width, extents.height
    pixbuf = Gdk.pixbuf_get_from_window(root, x, y, width, height)
    rows = numpy.frombuffer(pixbuf.get_pixels(), numpy.uint8)
    channels, stride = pixbuf.get_n_channels(), pixbuf.get_rowstride()
    padded = numpy.zeros(stride * height, numpy.uint8)
    padded[:rows.size] = rows
    return padded.reshape(height, stride)[:, :width * channels].reshape(height, width, channels)[:, :, :3]


def save_screen(name):
    """Keeps a picture of the screen for people where VEDETTE_TEST_PICTURES names a folder."""
    folder = os.environ.get('VEDETTE_TEST_PICTURES')
    if folder:
        os.makedirs(folder, exist_ok=True)
        subprocess.run(['import', '-window', 'root', os.path.join(folder, name + '.png')], check=False, timeout=30)


def shared(*names):
    """Paths below VEDETTE_SHARED; skips the test where one is missing, or fails when it must be there."""
    paths = [os.path.join(SHARED, name) for name in names]
    for name, path in zip(names, paths):
        if not os.path.exists(path):
            if os.environ.get('VEDETTE_REQUIRE_SHARED') == '1':
                raise AssertionError(f'{path} is missing')
            print(f'\nwaits for shared: {name}', flush=True)
            raise unittest.SkipTest(f'waits for shared: {name}')
    return paths[0] if len(paths) == 1 else paths


def make_clip(name, seconds=6, size='640x360', rate=25):
    """A clip that needs no file from elsewhere: a diamond and a square cross a still background, so that the motion
    detector finds two boxes of different scores, one half filled, the other wholly."""
    path = os.path.join(os.environ['HOME'], name)
    diamond = "geq=r=216:g=208:b=192:a='255*lt(abs(X-48)/48+abs(Y-32)/32,1)'"
    graph = (f'color=c=0x3a4a3a:s={size}:r={rate}:d={seconds},format=yuv420p[b];'
             f'color=c=black:s=96x64:r={rate}:d={seconds},format=rgba,{diamond}[p];'
             f'color=c=0x902020:s=40x40:r={rate}:d={seconds}[q];'
             '[b][p]overlay=x=-60+55*t:y=90:shortest=1[c];[c][q]overlay=x=640-45*t:y=240:shortest=1')
    subprocess.run(['ffmpeg', '-v', 'error', '-y', '-filter_complex', graph, '-c:v', 'libx264', '-preset', 'ultrafast',
                    '-g', str(rate), '-pix_fmt', 'yuv420p', path], check=True, timeout=120)
    return path


def probe(path):
    """What ffprobe, which is not our code, reads of a clip: codec, and frames counted by decoding them."""
    out = subprocess.run(['ffprobe', '-v', 'error', '-count_frames', '-select_streams', 'v:0', '-show_entries',
                          'stream=codec_name,nb_read_frames,width,height', '-of', 'default=nw=1', path],
                         check=True, capture_output=True, text=True, timeout=120)
    if out.stderr.strip():
        raise AssertionError(f'{path} does not play cleanly: {out.stderr}')
    return dict(line.split('=', 1) for line in out.stdout.split())


class WindowTest(unittest.TestCase):
    """A test that starts programs with self.start(); they are closed properly, and ended when a test has failed."""

    def setUp(self):
        self.programs = []
        shutil.rmtree(os.path.join(os.environ['HOME'], 'Videos'), ignore_errors=True)

    def start(self, *arguments, environment=None):
        program = Program(*arguments, environment=environment)
        self.programs.append(program)
        return program

    def tearDown(self):
        for program in self.programs:
            try:
                if program.process.poll() is None:
                    program.close()
            finally:
                program.kill()


def main():
    """Runs the tests of a file; a test that only waits for shared material counts as passed."""
    unittest.main(verbosity=2, argv=sys.argv)
