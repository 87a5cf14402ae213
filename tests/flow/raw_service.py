"""`vedette-cli serve` as a process, and connections to it byte by byte: whole, half, or cut off. What a library for
HTTP would not let pass is what these are for."""
import json
import os
import re
import socket
import struct
import urllib.parse

from process_memory import own_bytes
from serve_running import SLOW, Running

TOKEN = 'soaked-and-fuzzed-token'
SANITIZER = re.compile(r'ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:')


class Service(Running):
    """With short time-outs and wide limits; its folder is the caller's."""
    end_s = 30

    def __init__(self, cli, folder, model='demo', timeout_s=1.0, more=''):
        token, config = os.path.join(folder, 'token'), os.path.join(folder, 'vedette.conf')
        with open(token, 'w', encoding='utf-8', opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
            stream.write(TOKEN + '\n')
        with open(config, 'w', encoding='utf-8') as stream:
            stream.write(f'streaming: {{ token_file = "{token}"; session_timeout = {timeout_s};\n'
                         '  max_sessions = 1000; max_sessions_per_peer = 1000; max_requests_per_s = 10000;\n'
                         f'  queue_size = 8; {more} }};\n')
        super().__init__(cli, '--config', config, '--model', model, home=folder)
        self.port = urllib.parse.urlsplit(self.url).port

    def alive(self):
        return self.process.poll() is None

    def finding(self):
        """What a sanitizer wrote, cut to its beginning; None when there is nothing."""
        text = self.said()
        found = SANITIZER.search(text)
        return text[found.start():found.start() + 8000] if found else None

    def figures(self):
        """(bytes of its own, descriptors, threads) of the process."""
        process = f'/proc/{self.process.pid}'
        with open(process + '/status', encoding='ascii', errors='replace') as stream:
            status = dict(line.split(':', 1) for line in stream)
        return own_bytes(self.process.pid), len(os.listdir(process + '/fd')), int(status['Threads'])


def connect(port, source='127.0.0.1', timeout=10.0):
    return socket.create_connection(('127.0.0.1', port), timeout * SLOW, (source, 0))


def cut(connection):
    """Ends it with a reset: what was not read is lost, as when a machine goes away."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    connection.close()


def head(method, path, length=None, more='', token=TOKEN):
    lines = [f'{method} {path} HTTP/1.1', 'Host: 127.0.0.1']
    if token:
        lines.append(f'Authorization: Bearer {token}')
    if length is not None:
        lines.append(f'Content-Length: {length}')
    return ('\r\n'.join(lines) + '\r\n' + more + '\r\n').encode()


def read_answer(connection):
    """(status, headers in small letters, body) of one answer."""
    data = b''
    while b'\r\n\r\n' not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError(f'cut within the head of an answer: {data!r}')
        data += part
    first, body = data.split(b'\r\n\r\n', 1)
    lines = first.decode('latin-1').split('\r\n')
    headers = {name.lower(): value.strip() for name, value in (line.split(':', 1) for line in lines[1:])}
    status = int(lines[0].split()[1])
    while len(body) < int(headers.get('content-length', 0)):
        part = connection.recv(65536)
        if not part:
            raise ConnectionError('cut within an answer')
        body += part
    return status, headers, body


def ask(port, method, path, body=None, more='', token=TOKEN, source='127.0.0.1', timeout=10.0):
    """One request on a connection of its own: (status, headers, body)."""
    with connect(port, source, timeout) as connection:
        length = None if body is None else len(body)
        connection.sendall(head(method, path, length, more + 'Connection: close\r\n', token) + (body or b''))
        return read_answer(connection)


def ask_json(port, method, path, body=None, **options):
    """The answer's object; anything but 2xx raises."""
    status, _, text = ask(port, method, path, body, **options)
    if not 200 <= status < 300:
        raise RuntimeError(f'{method} {path}: {status} {text!r}')
    return json.loads(text)


def ws_frame(payload, opcode=2, last=True, mask=b'\x11\x22\x33\x44', length=None):
    """A WebSocket frame as a client sends it; `length` is what its head says, when that is not the truth."""
    size = len(payload) if length is None else length
    first = bytes([(0x80 if last else 0) | opcode])
    if size < 126:
        first += bytes([0x80 | size])
    elif size < 65536:
        first += struct.pack('>BH', 0x80 | 126, size)
    else:
        first += struct.pack('>BQ', 0x80 | 127, size)
    # XOR as whole numbers: a loop over bytes would take longer than the service.
    count = len(payload)
    key = (mask * (count // 4 + 1))[:count]
    masked = (int.from_bytes(payload, 'big') ^ int.from_bytes(key, 'big')).to_bytes(count, 'big') if count else b''
    return first + mask + masked


UPGRADE = ('Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
           'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n')


class WebSocket:
    """A WebSocket without manners of its own: it answers no ping and closes when it is told."""

    def __init__(self, port, path='/stream/detection', token=TOKEN, source='127.0.0.1'):
        self.connection = connect(port, source)
        self.buffer = b''
        self.connection.sendall(head('GET', path, more=UPGRADE, token=token))
        while b'\r\n\r\n' not in self.buffer:
            self._more()
        first, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        self.status = int(first.split()[1])
        if self.status != 101:
            self.connection.close()
            raise ConnectionError(f'{path}: {first!r} {self.buffer!r}')

    def _more(self):
        part = self.connection.recv(65536)
        if not part:
            raise ConnectionError('The service ended the connection.')
        self.buffer += part

    def send(self, payload, opcode=None):
        if isinstance(payload, dict):
            payload = json.dumps(payload)
        binary = isinstance(payload, bytes)
        self.raw(ws_frame(payload if binary else payload.encode(), opcode or (2 if binary else 1)))

    def raw(self, data):
        self.connection.sendall(data)

    def receive(self):
        """(opcode, payload) of the next frame."""
        while True:
            if len(self.buffer) >= 2:
                size, at = self.buffer[1] & 0x7f, 2
                if size > 125:
                    at = 4 if size == 126 else 10
                    size = int.from_bytes(self.buffer[2:at], 'big') if len(self.buffer) >= at else 1 << 62
                if len(self.buffer) >= at + size:
                    opcode, payload = self.buffer[0] & 15, self.buffer[at:at + size]
                    self.buffer = self.buffer[at + size:]
                    return opcode, payload
            self._more()

    def receive_json(self):
        """The next text message; pings are passed over."""
        while True:
            opcode, payload = self.receive()
            if opcode == 1:
                return json.loads(payload)
            if opcode == 8:
                raise ConnectionError(f'closed: {payload!r}')

    def close(self):
        """With a goodbye that is not waited for."""
        self.raw(ws_frame(struct.pack('>H', 1000), 8))
        self.connection.close()

    def drop(self):
        self.connection.close()

    def cut(self):
        cut(self.connection)
