"""Clients of the streaming interface on bare sockets, well-behaved ones and others: HTTP, WebSocket, events."""
import base64
import hashlib
import json
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import zlib

SLOW = float(os.environ.get('VEDETTE_TEST_SLOWNESS', '1'))
WAIT_S = 10 * SLOW


def png(width=160, height=120, seed=1):
    """A picture of stripes, another one for every seed."""
    rows = b''.join(b'\0' + bytes((x * seed + y * 3 + c * 80) & 0xff for x in range(width) for c in range(3))
                    for y in range(height))
    return png_of(width, height, zlib.compress(rows, 1))


def png_of(width, height, data):
    """A PNG file with this header, whatever the data are."""
    def chunk(kind, body):
        return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
    head = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', data) + chunk(b'IEND', b'')


def address_of(url):
    host = url.split('//')[1].strip('/')
    return host.rsplit(':', 1)[0].strip('[]'), int(host.rsplit(':', 1)[1])


def connect(url, timeout=WAIT_S, receive_buffer=0):
    family = socket.AF_INET6 if '[' in url else socket.AF_INET
    plain = socket.socket(family)
    if receive_buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.settimeout(timeout)
    plain.connect(address_of(url))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not url.startswith('https'):
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Http:
    """One connection, kept alive."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token
        self.socket, self.buffer = connect(url), b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def head(self, method, path, headers):
        host = '%s:%d' % address_of(self.url)
        lines = {'Host': host, **({'Authorization': 'Bearer ' + self.token} if self.token else {}), **headers}
        return f'{method} {path} HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in lines.items() if v is not None) + '\r\n'

    def ask(self, method, path, body=None, kind='application/json', **headers):
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault('Content-Length', len(body))
            headers.setdefault('Content-Type', kind)
        self.socket.sendall(self.head(method, path, headers).encode('latin-1') + (body or b''))
        return self.read_reply(method)

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError('the server closed the connection')
        self.buffer += data

    def read_head(self):
        while b'\r\n\r\n' not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        lines = head.decode('latin-1').split('\r\n')
        headers = {name.lower(): value.strip() for name, value in (line.split(':', 1) for line in lines[1:])}
        return int(lines[0].split()[1]), headers

    def read_reply(self, method='GET'):
        status, headers = self.read_head()
        length = 0 if method == 'HEAD' or status == 204 else int(headers.get('content-length', 0))
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Reply(status, headers, body)


def ask(url, method, path, body=None, token=None, **more):
    """One request on a connection of its own."""
    with Http(url, token) as http:
        return http.ask(method, path, body, **more)


class Closed(Exception):
    """The other side closed the WebSocket."""

    def __init__(self, code, reason):
        super().__init__(f'closed: {code} {reason}')
        self.code, self.reason = code, reason


class Refused(Exception):
    """The server did not change the protocol."""

    def __init__(self, reply):
        super().__init__(f'{reply.status} {reply.body!r}')
        self.reply = reply


class WebSocket:
    """with WebSocket(url, '/stream/detection?fps_limit=5') as talk: talk.send({...}); talk.receive()"""

    def __init__(self, url, path='/stream/detection', token=None, receive_buffer=0, **headers):
        http = Http.__new__(Http)
        http.url, http.token, http.buffer = url, token, b''
        http.socket = connect(url, receive_buffer=receive_buffer)
        key = base64.b64encode(os.urandom(16)).decode()
        http.socket.sendall(http.head('GET', path, {
            'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key,
            **{name.replace('_', '-'): value for name, value in headers.items()}}).encode())
        status, head = http.read_head()
        if status != 101:
            http.buffer += b''
            length = int(head.get('content-length', 0))
            while len(http.buffer) < length:
                http.more()
            http.socket.close()
            raise Refused(Reply(status, head, http.buffer))
        proof = base64.b64encode(hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest())
        assert head['sec-websocket-accept'] == proof.decode(), head
        self.socket, self.buffer, self.pongs = http.socket, http.buffer, 0
        self.lock = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @staticmethod
    def frame(opcode, payload, last=True, mask=b'\x11\x22\x33\x44'):
        size = len(payload)
        head = bytes([(0x80 if last else 0) | opcode])
        head += bytes([0x80 | size]) if size < 126 else (
            bytes([0x80 | 126]) + struct.pack('>H', size) if size < 65536 else bytes([0x80 | 127]) + struct.pack('>Q', size))
        whole = int.from_bytes(payload, 'little') ^ int.from_bytes((mask * (size // 4 + 1))[:size], 'little')
        return head + mask + whole.to_bytes(size, 'little')

    def send_raw(self, data):
        with self.lock:
            self.socket.sendall(data)

    def send(self, message):
        self.send_raw(self.frame(1, message if isinstance(message, bytes) else json.dumps(message).encode()))

    def send_picture(self, data, frame_id=None):
        if frame_id is not None:
            self.send({'type': 'next', 'frame_id': frame_id})
        self.send_raw(self.frame(2, data))

    def need(self, count, deadline):
        while len(self.buffer) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not (self.pending() or select.select([self.socket], [], [], left)[0]):
                raise TimeoutError('no message came')
            data = self.socket.recv(1 << 16)
            if not data:
                raise Closed(1006, 'without a word')
            self.buffer += data

    def pending(self):
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0

    def receive_frame(self, deadline):
        self.need(2, deadline)
        opcode, size, at = self.buffer[0] & 15, self.buffer[1] & 127, 2
        if size > 125:
            at = 4 if size == 126 else 10
            self.need(at, deadline)
            size = int.from_bytes(self.buffer[2:at], 'big')
        self.need(at + size, deadline)
        payload, self.buffer = self.buffer[at:at + size], self.buffer[at + size:]
        return opcode, payload

    def receive(self, seconds=WAIT_S):
        """The next message; TimeoutError, or Closed."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                opcode, payload = self.receive_frame(deadline)
            except ConnectionError:
                raise Closed(1006, 'reset') from None
            if opcode == 8:
                raise Closed(int.from_bytes(payload[:2], 'big') if payload else 1005, payload[2:].decode())
            if opcode == 9:
                self.send_raw(self.frame(10, payload))
            elif opcode == 10:
                self.pongs += 1
            else:
                return json.loads(payload)

    def receive_all(self, count, seconds=WAIT_S):
        return [self.receive(seconds) for _ in range(count)]

    def until_closed(self, seconds=WAIT_S):
        """What still comes, and how it is closed."""
        messages, deadline = [], time.monotonic() + seconds
        while True:
            try:
                messages.append(self.receive(deadline - time.monotonic()))
            except Closed as closed:
                return messages, closed

    def close(self):
        self.send_raw(self.frame(8, struct.pack('>H', 1000)))


class Events:
    """A stream of server-sent events."""

    def __init__(self, url, path, token=None, receive_buffer=0, **headers):
        self.http = Http.__new__(Http)
        self.http.url, self.http.token, self.http.buffer = url, token, b''
        self.http.socket = connect(url, receive_buffer=receive_buffer)
        self.http.socket.sendall(self.http.head('GET', path, {'Accept': 'text/event-stream', **headers}).encode())
        self.status, self.headers = self.http.read_head()
        self.text = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.socket.close()

    def read_more(self):
        """The stream ends with its connection."""
        if not self.http.buffer:
            try:
                self.http.more()
            except ConnectionError as end:
                raise EOFError('the stream ended') from end
        self.text += self.http.buffer
        self.http.buffer = b''

    def receive(self, seconds=WAIT_S):
        """The next message; EOFError at the end, socket.timeout when none comes."""
        self.http.socket.settimeout(seconds)
        while True:
            while b'\n\n' not in self.text:
                self.read_more()
            event, self.text = self.text.split(b'\n\n', 1)
            if event.startswith(b'data: '):
                return json.loads(event[6:])


class Calm:
    """A well-behaved session, in a process of its own so that nothing here slows it down: every frame has to be answered,
    and soon. Answers that were `skipped` or late are poor ones."""

    def __init__(self, url):
        self.process = subprocess.Popen([sys.executable, '-W', 'ignore', os.path.abspath(__file__), url], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answers, self.lines, self.under_way = [], [], threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        assert self.under_way.wait(WAIT_S), 'a bystander got no answer'

    def read(self):
        for line in self.process.stdout:
            self.under_way.set()
            try:
                now, poor = line.split()
                self.answers.append((float(now), int(poor)))
            except ValueError:
                self.lines.append(line)

    def poor(self, since, until):
        """The share of the answers of a time."""
        of = [poor for now, poor in self.answers if since <= now <= until]
        return sum(of) / len(of) if of else 0.0

    def stop(self):
        self.process.stdin.close()
        self.reader.join()
        assert self.process.wait() == 0, f'a bystander: {"".join(self.lines)}'


class Bystander:
    """A session beside others that behave badly, and another at a server where nobody does: where the machine itself is
    slow, both are.

    with Bystander(url, quiet): …
    """
    MOST = 0.02 if SLOW == 1 else 0.2  # sanitizers are for other mistakes

    def __init__(self, url, quiet):
        self.calm, self.quiet = Calm(url), quiet

    def __enter__(self):
        self.began = time.monotonic()
        return self

    def __exit__(self, kind, *_):
        self.calm.stop()
        end = time.monotonic()
        poor, usual = self.calm.poor(self.began, end), self.quiet.poor(self.began, end)
        if not kind:
            assert poor <= max(self.MOST, 3 * usual), f'{poor:.0%} of the answers were late or none, elsewhere {usual:.0%}'


def be_calm(url, fps=8, most_s=0.3, least=8):
    """What a Calm does: until stdin is closed, and then until the last answer. Prints when each came, and 1 for a poor
    one."""
    picture, sent, number, next_s = png(), {}, 0, time.monotonic()
    with WebSocket(url, '/stream/detection?fps_limit=30') as talk:
        talk.receive()
        ending, last = False, time.monotonic()
        while not ending or sent or number < least:
            ending = ending or bool(select.select([sys.stdin], [], [], 0)[0])
            now = time.monotonic()
            if now >= next_s and (not ending or number < least):
                talk.send_picture(picture, number)
                sent[number], number, next_s = now, number + 1, now + 1 / fps
            try:
                message = talk.receive(max(0.001, next_s - time.monotonic()) if not ending else 0.05)
            except TimeoutError:
                if sent and time.monotonic() - last > WAIT_S:
                    sys.exit(f'{len(sent)} frames were not answered')
                continue
            last = time.monotonic()
            data = message.get('data', message)
            if message['type'] not in ('detection_result', 'skipped') or data['frame_id'] not in sent:
                sys.exit(f'got {message}')
            poor = message['type'] == 'skipped' or last - sent.pop(data['frame_id']) > most_s * SLOW
            sent.pop(data['frame_id'], None)
            print(last, int(poor), flush=True)


if __name__ == '__main__':
    be_calm(sys.argv[1])
