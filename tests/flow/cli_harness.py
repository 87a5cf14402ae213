"""Runs vedette-cli as a user does. A test file takes the program's path as its first argument."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
SHARED = os.environ.get('VEDETTE_SHARED', os.path.join(ROOT, '../shared'))
SLOW = float(os.environ.get('VEDETTE_TEST_SLOWNESS', '1'))  # sanitizers: deadlines are multiplied by it
PROGRAM = None
# From a pole, where builtin:motion has something to tell apart: traffic in some pictures and none in others.
SCENE = 'demo:size=320x180,fps=30,seed=5,view=pole,pace=free'
LIVE_SCENE = 'demo:size=320x180,fps=30,seed=5,view=pole'


class CliTest(unittest.TestCase):
    """Each test in a folder of its own, with a home of its own, and without the models that come with the program:
    the demonstration is watched by builtin:motion."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='vedette-cli-')
        self.addCleanup(shutil.rmtree, self.folder)
        home = self.path('home')
        os.mkdir(home)
        self.environment = {**os.environ, 'HOME': home, 'XDG_CONFIG_HOME': home, 'XDG_VIDEOS_DIR': self.path('videos'),
                            'VEDETTE_MODELS': home}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), 'wb') as stream:
            stream.write(data if isinstance(data, bytes) else data.encode())
        return self.path(name)

    def start(self, *arguments, stdout=subprocess.PIPE):
        process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=stdout,
                                   stderr=subprocess.PIPE, env=self.environment, cwd=self.folder)
        self.addCleanup(self.reap, process)
        return process

    @staticmethod
    def reap(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def finish(self, process, seconds=20):
        """Waits for the end: (status, stdout, stderr)."""
        try:
            out, error = process.communicate(timeout=seconds * SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
            self.fail(f'{process.args} did not end within {seconds} s')
        return process.returncode, (out or b'').decode('utf-8'), error.decode('utf-8')

    def run_cli(self, *arguments, status=0, seconds=60):
        got, out, error = self.finish(self.start(*arguments), seconds)
        self.assertEqual(got, status, f'{arguments}: {error}{out[-400:]}')
        return out, error

    def refuse(self, *arguments, words=(), status=2):
        """A request that must be refused in one sentence on stderr, with nothing on stdout."""
        out, error = self.run_cli(*arguments, status=status)
        self.assertEqual(out, '')
        self.assertEqual(error.count('\n'), 1, error)
        self.assertTrue(error.startswith('vedette-cli: '), error)
        for word in words:
            self.assertIn(word, error)
        return error

    def wait_until(self, condition, what, seconds=20):
        deadline = time.monotonic() + seconds * SLOW
        while not condition():
            self.assertLess(time.monotonic(), deadline, f'waited {seconds} s for {what}')
            time.sleep(0.01)

    def detect(self, *arguments):
        """The lines of a detection as objects; the program must succeed."""
        out, _ = self.run_cli('detect', '--json', '-', *arguments)
        return [json.loads(line) for line in out.splitlines()]

    def probe(self, path):
        """(codec, width, height, frame times) of a clip, by ffprobe."""
        out = subprocess.run(['ffprobe', '-v', 'error', '-of', 'json', '-select_streams', 'v', '-show_entries',
                              'stream=codec_name,width,height:frame=best_effort_timestamp_time', path],
                             capture_output=True, check=False, timeout=60 * SLOW)
        self.assertEqual(out.returncode, 0, out.stderr)
        found = json.loads(out.stdout)
        stream = found['streams'][0]
        times = [float(frame['best_effort_timestamp_time']) for frame in found['frames']]
        return stream['codec_name'], stream['width'], stream['height'], times


def main():
    """Runs the tests of the calling file against the program named first on the command line."""
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
