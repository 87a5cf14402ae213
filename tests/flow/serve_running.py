"""A `vedette-cli serve` for the tests that talk to one: on a free port, with a home of its own."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.parse

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
SLOW = float(os.environ.get('VEDETTE_TEST_SLOWNESS', '1'))
START_S = 30


class Running:
    """with Running(program, '--token-file', path) as server: server.url …"""
    end_s = 20  # within which it ends

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
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace', cwd=self.folder, bufsize=1,
            env={**kept, 'HOME': self.folder, 'XDG_CONFIG_HOME': self.folder})
        self.messages = []
        self.url = None
        self.reader = threading.Thread(target=self.read_messages, daemon=True)
        self.reader.start()
        self.wait_for_url()

    def read_messages(self):
        for line in self.process.stderr:
            self.messages.append(line)

    def said(self):
        """What it said on stderr until now; once it has ended, all of it."""
        if self.process.poll() is not None:
            self.reader.join(5)
        return ''.join(self.messages)

    def wait_for_url(self):
        timer = threading.Timer(START_S * SLOW, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line.startswith('Listening on '):
            self.process.kill()
            self.process.wait()
            self.clean()
            raise AssertionError(f'the server did not start: {line!r} {self.said()}')
        self.url = line.split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        status = self.stop()
        assert status in (0, 130), f'the server ended with {status}: {self.said()}'

    def stop(self):
        """Ends it as Ctrl-C does; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(self.end_s * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(5)
        self.clean()
        return self.process.returncode

    def clean(self):
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, body=None, kind='application/json', token=None, headers=None):
        """(status, headers, body); the body is parsed where it is JSON."""
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        more = {**({'Content-Type': kind} if data is not None else {}), 'Connection': 'close',
                **({'Authorization': f'Bearer {token}'} if token else {}), **(headers or {})}
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=20 * SLOW)
        try:
            connection.request(method, path, data, more)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was refused before it was sent to its end: the answer is there
        with contextlib.closing(connection):
            reply = connection.getresponse()
            text = reply.read()
        if 'json' in (reply.headers.get('Content-Type') or ''):
            text = json.loads(text)
        return reply.status, reply.headers, text


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
