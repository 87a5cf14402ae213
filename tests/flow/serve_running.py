"""A `vedette-cli serve` for the tests that talk to one: on a free port, with a home of its own."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
SLOW = float(os.environ.get('VEDETTE_TEST_SLOWNESS', '1'))
START_S = 30


class Running:
    """with Running(program, '--token-file', path) as server: server.url …"""

    def __init__(self, program, *options, port=0, settings='', command=None, home=None):
        self.folder = home or tempfile.mkdtemp(prefix='vedette-serve-')
        self.owns_folder = home is None
        config = os.path.join(self.folder, 'vedette')
        os.makedirs(config, exist_ok=True)
        if settings:
            with open(os.path.join(config, 'vedette.conf'), 'w', encoding='utf-8') as file:
                file.write(settings)
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith('STREAMING_') and name not in ('CONFIDENCE_THRESHOLD', 'MODEL_PATH')}
        self.process = subprocess.Popen(
            command or [program, 'serve', '--port', str(port), *options], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder, bufsize=1,
            env={**kept, 'HOME': self.folder, 'XDG_CONFIG_HOME': self.folder})
        self.messages = []
        self.url = None
        threading.Thread(target=self.read_messages, daemon=True).start()
        self.wait_for_url()

    def read_messages(self):
        for line in self.process.stderr:
            self.messages.append(line)

    def wait_for_url(self):
        timer = threading.Timer(START_S * SLOW, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line.startswith('Listening on '):
            self.process.kill()
            self.process.wait()
            time.sleep(0.2)
            self.clean()
            raise AssertionError(f'the server did not start: {line!r} {"".join(self.messages)}')
        self.url = line.split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        status = self.stop()
        assert status in (0, 130), f'the server ended with {status}: {"".join(self.messages)}'

    def stop(self):
        """Ends it as Ctrl-C does; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20 * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.clean()
        return self.process.returncode

    def clean(self):
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, body=None, kind='application/json', token=None, headers=None):
        """(status, headers, body); the body is parsed where it is JSON."""
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        request = urllib.request.Request(self.url.rstrip('/') + path, data=data, method=method)
        if data is not None:
            request.add_header('Content-Type', kind)
        if token:
            request.add_header('Authorization', f'Bearer {token}')
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=20 * SLOW) as reply:
                status, got, text = reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as reply:
            with reply:
                status, got, text = reply.code, reply.headers, reply.read()
        if 'json' in (got.get('Content-Type') or ''):
            text = json.loads(text)
        return status, got, text


def make_token(folder):
    """A token file as a server takes it; (path, token)."""
    path, token = os.path.join(folder, 'tokens'), 'a-token-of-the-tests-0123456789'
    with open(path, 'w', encoding='utf-8', opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(f'# of a test\n{token}\n')
    return path, token


def take_picture(clip, second, path):
    """A JPEG out of a clip."""
    subprocess.run(['ffmpeg', '-v', 'error', '-y', '-ss', str(second), '-i', clip, '-frames:v', '1', '-q:v', '3', path],
                   check=True, timeout=60 * SLOW)
    with open(path, 'rb') as file:
        return file.read()
