#!/usr/bin/python3
"""Clients that nobody wants, each beside a session that must not notice: they get their error, or are cut off.

usage: serve_hostile.py VEDETTE-CLI
"""
import concurrent.futures
import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
import unittest

import streaming
from process_memory import own_bytes
from serve_running import SLOW, Running, make_token
from streaming import Bystander, Calm, Events, Http, WebSocket, ask, connect, png, png_of

PROGRAM = None
IMAGE_MB = 1
SANITIZED = os.environ.get('VEDETTE_TEST_SANITIZED') == '1'
SETTINGS = f'streaming = {{ max_image_mb = {IMAGE_MB}; max_image_megapixels = 1; max_requests_per_s = 2000; ' \
           'max_sessions = 1000; max_sessions_per_peer = 1000; };'
MOST_MESSAGE = (IMAGE_MB << 20) // 3 * 4 + (64 << 10)


class Refusals(unittest.TestCase):
    def too_large(self, talk, most):
        messages, closed = talk.until_closed()
        self.assertEqual(closed.code, 1009, closed.reason)
        self.assertTrue(closed.reason.startswith(f'The message has more than {most} bytes, the most'), closed.reason)
        self.assertEqual(messages, [{'type': 'error', 'error': closed.reason, 'frame_id': None}])


class HostileTest(Refusals):
    @classmethod
    def setUpClass(cls):
        cls.server = Running(PROGRAM, '--model', 'demo', settings=SETTINGS)
        cls.elsewhere = Running(PROGRAM, '--model', 'demo')
        cls.quiet = Calm(cls.elsewhere.url)
        cls.url = cls.server.url

    @classmethod
    def tearDownClass(cls):
        cls.quiet.stop()
        cls.elsewhere.stop()
        status, log = cls.server.stop(), ''.join(cls.server.messages)
        assert status == 130 and 'CRITICAL' not in log and 'WARNING' not in log, (status, log)

    def setUp(self):
        self.enterContext(Bystander(self.url, self.quiet))

    def metric(self, name):
        lines = ask(self.url, 'GET', '/metrics').body.decode().splitlines()
        return float(next(line for line in lines if line.startswith(f'vedette_{name} ')).split()[1])

    def wait_for(self, condition, what, seconds):
        deadline = time.monotonic() + seconds * SLOW
        while not condition():
            self.assertLess(time.monotonic(), deadline, f'waited {seconds} s for {what}')
            time.sleep(0.05)

    def answer(self, path='/stream/detection', message=None, picture=None, **more):
        """What one message is answered with."""
        with WebSocket(self.url, path, **more) as talk:
            talk.receive()
            if picture is not None:
                talk.send_picture(picture, 'mine')
            else:
                talk.send(message)
            return talk.receive()

    # --- Messages that are wrong

    def test_pictures_that_are_none(self):
        bombs = {'huge header': png_of(65535, 65535, b'\0' * 64), 'no picture': b'GIF89a' + b'\0' * 64, 'one byte': b'x',
                 'cut': png()[:200], 'over the limit of pixels': png_of(2000, 1000, b''), 'zeros': b'\0' * 100000,
                 'sizes of nothing': png_of(0, 0, b''), 'jpeg of 65535 × 65535': b'\xff\xd8\xff\xc0\x00\x11\x08'
                 + b'\xff\xff\xff\xff' + b'\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01' + b'\xff\xd9'}
        for name, picture in bombs.items():
            answer = self.answer(picture=picture)
            self.assertEqual((answer['type'], answer.get('frame_id')), ('error', 'mine'), name)
            session = ask(self.url, 'POST', '/stream/sessions', {}).json['client_id']
            with Events(self.url, '/stream/events/' + session) as events:
                reply = ask(self.url, 'POST', f'/stream/process/{session}?frame_id=7', picture, kind='image/png')
                self.assertEqual((reply.status, reply.json), (202, {'frame_id': 7}), name)
                answer = events.receive()
                self.assertEqual((answer['type'], answer['frame_id']), ('error', 7), name)
            ask(self.url, 'DELETE', '/stream/sessions/' + session)

    def test_messages_that_are_wrong(self):
        deep = b'[' * 5000 + b']' * 5000
        for message in (b'', b'{', b'nonsense', b'[]', b'7', b'null', b'{"type":7}', b'{"type":"fly"}', b'{}', deep,
                        b'{"type":"frame"}', b'{"type":"frame","image_data":7}', b'{"type":"frame","image_data":"%%%"}',
                        b'{"type":"frame","image_data":"AAA"}', b'{"type":"frame","image_data":"AA=A"}',
                        b'{"type":"config","config":{"fps_limit":1e9}}', b'{"type":"config","config":{"wings":2}}',
                        b'{"a":' * 500 + b'1' + b'}' * 500, b'{"type":"frame","type":"ping","image_data":"\\u0000"}'):
            answer = self.answer(message=message)
            self.assertEqual(answer['type'], 'error', message[:60])
            self.assertTrue(answer['error'].strip().endswith(('.', '?')), answer)
        answer = self.answer(message=b'{"type":"frame","frame_id":"f7","image_data":"****"}')
        self.assertEqual((answer['type'], answer['frame_id']), ('error', 'f7'))

    def test_bad_utf8(self):
        with WebSocket(self.url) as talk:
            talk.receive()
            talk.send(b'{"type":"ping","timestamp":"\xff\xfe"}')
            messages, closed = talk.until_closed()
            self.assertEqual((closed.code, closed.reason), (1007, 'The message is not valid UTF-8.'))
            self.assertEqual(messages, [{'type': 'error', 'error': closed.reason, 'frame_id': None}])
        session = ask(self.url, 'POST', '/stream/sessions', {}).json['client_id']
        for body in (b'\xff', b'{"type":"frame","image_data":"\xc3("}', b'{"\xed\xa0\x80":1}'):
            self.assertEqual(ask(self.url, 'POST', '/stream/process/' + session, body).status, 400, body)
            self.assertEqual(ask(self.url, 'PATCH', f'/stream/sessions/{session}/config', body).status, 400, body)

    def test_protocol_errors(self):
        for raw in (b'\x81\x05hello', b'\xf1\x80\0\0\0\0', b'\x83\x80\0\0\0\0', b'\x80\x80\0\0\0\0', b'\x89\xfe\x01\x00' + b'\0' * 260,
                    b'\x88\x81\0\0\0\0x', b'\x89\xff' + struct.pack('>Q', 1 << 40) + b'\0' * 9000,
                    b'\x8a\xfe\x7f\xff\0\0\0\0', WebSocket.frame(8, struct.pack('>H', 1005)),
                    WebSocket.frame(1, b'a', last=False) + WebSocket.frame(1, b'b')):
            with WebSocket(self.url) as talk:
                talk.receive()
                talk.send_raw(raw)
                messages, closed = talk.until_closed()
                self.assertEqual((closed.code, closed.reason[:26]), (1002, 'What came is no frame of a'), raw)
                self.assertEqual(messages, [{'type': 'error', 'error': closed.reason, 'frame_id': None}], raw)

    # --- Too much

    def test_frames_before_the_answer(self):
        """Nothing that passes unseen: a message of many frames could have any size behind it."""
        words = {'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Version': '13',
                 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='}
        for path in ('/stream/detection', '/stream/cameras/none'):
            for early in (WebSocket.frame(2, b'x', last=False), b'\x02', b'\n', b'x\n\n', b'x\nContent-Length: 0\n\n'):
                with Http(self.url) as http:
                    http.socket.sendall(http.head('GET', path, words).encode() + early)
                    self.assertEqual(http.read_reply().status, 400, (path, early))
        with Http(self.url) as http:  # behind others it is welcome
            self.assertEqual(http.ask('GET', '/stream/health').status, 200)
            self.assertEqual(http.ask('POST', '/stream/sessions', {}).status, 201)
            http.socket.sendall(http.head('GET', '/stream/detection', words).encode())
            self.assertEqual(http.read_head()[0], 101)

    def test_messages_that_are_too_large(self):
        before = self.metric('refused_total{why="size"}')
        memory = own_bytes(self.server.process.pid)
        for size in (MOST_MESSAGE + 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1):
            for kind in (0x81, 0x82):
                for more in (0, 16, 400000):  # of what was announced
                    with WebSocket(self.url) as talk:
                        talk.receive()
                        talk.send({'type': 'ping', 'timestamp': 1})  # what stands before is still answered
                        talk.send_raw(bytes([kind, 0x80 | 127]) + struct.pack('>Q', size) + b'\0' * (4 + more))
                        self.assertEqual(talk.receive()['type'], 'ping')
                        self.too_large(talk, MOST_MESSAGE)
        for size in (MOST_MESSAGE + 1, 12 << 20):  # sent whole, whether it is read or not
            with WebSocket(self.url) as talk:
                talk.receive()
                talk.send_raw(WebSocket.frame(2, b'\0' * size))
                self.too_large(talk, MOST_MESSAGE)
        with WebSocket(self.url) as talk:  # the most that there may be
            talk.receive()
            talk.send(b'{"type":"ping","timestamp":2}' + b' ' * (MOST_MESSAGE - 29))
            self.assertEqual(talk.receive(), {'type': 'ping', 'timestamp': 2})
        self.assertEqual(self.metric('refused_total{why="size"}'), before + 26)
        if not SANITIZED:
            self.assertLess(own_bytes(self.server.process.pid) - memory, 24 << 20)
        with WebSocket(self.url) as talk:  # no frame is too large, but the message is
            talk.receive()
            part = WebSocket.frame(0, b'\0' * 60000, last=False)
            try:
                talk.send_raw(WebSocket.frame(2, b'\0', last=False))
                for _ in range(MOST_MESSAGE // 60000 + 20):
                    talk.send_raw(part)
                messages, closed = talk.until_closed()
                self.assertEqual((messages[-1]['type'], closed.code), ('error', 1009))
            except ConnectionError:
                pass

    def test_bodies_that_are_too_large(self):
        session = ask(self.url, 'POST', '/stream/sessions', {}).json['client_id']
        for path, kind, size in ((f'/stream/process/{session}', 'image/png', (IMAGE_MB << 20) + 1),
                                 (f'/stream/process/{session}', 'application/json', MOST_MESSAGE + 1),
                                 ('/stream/sessions', 'application/json', (64 << 10) + 1)):
            with Http(self.url) as http:  # nothing of it is sent, and it is refused
                http.socket.sendall(http.head('POST', path, {'Content-Length': size, 'Content-Type': kind}).encode())
                reply = http.read_reply()
                self.assertEqual(reply.status, 413, (path, kind))
                self.assertTrue(reply.json['error'].startswith(f'The body has {size} bytes; at most {size - 1} are taken'),
                                reply.body)
                self.assertEqual('streaming.max_image_mb' in reply.json['error'], 'process' in path, reply.body)
            with Http(self.url) as http:  # in chunks that never end
                http.socket.sendall(http.head('POST', path, {'Transfer-Encoding': 'chunked', 'Content-Type': kind}).encode())
                try:
                    for _ in range(2 * size // 30000 + 4):
                        http.socket.sendall(b'7530\r\n' + b' ' * 30000 + b'\r\n')
                except ConnectionError:
                    pass
                reply = http.read_reply()
                self.assertEqual(reply.status, 413, (path, kind))
                self.assertTrue(reply.json['error'].startswith(f'At most {size - 1} bytes are taken'), reply.body)
        for value in ('-1', '99999999999999999999999', 'x'):
            with Http(self.url) as http:
                http.socket.sendall(http.head('POST', '/stream/sessions', {'Content-Length': value}).encode())
                self.assertIn(http.read_reply().status, (400, 413), value)
        self.assertEqual(ask(self.url, 'GET', '/stream/health', b'x').status, 413)

    def test_heads_that_are_too_large(self):
        for head in (b'GET /' + b'a' * 200000, b'GET / HTTP/1.1\r\n' + b'X: y\r\n' * 40000,
                     b'GET / HTTP/1.1\r\nX: ' + b'y' * 200000):
            with Http(self.url) as http:
                try:
                    http.socket.sendall(head)
                    status = http.read_reply().status
                    self.assertIn(status, (400, 408, 414, 431))
                except ConnectionError:
                    pass

    def test_nonsense_instead_of_http(self):
        for data in (b'\r\n\r\n', b'\0' * 1000, b'GET\r\n\r\n', b'SSH-2.0-x\r\n\r\n', os.urandom(3000) + b'\r\n\r\n',
                     b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'\0' * 300 + b'\n\r\n', b'GET / HTTP/9.9\r\n\r\n'):
            with Http(self.url) as http:
                try:
                    http.socket.sendall(data)
                    http.socket.shutdown(socket.SHUT_WR)
                    self.assertIn(http.read_reply().status, (400, 505, 200, 403))
                except ConnectionError:
                    pass

    # --- Too slow: all at once, for each takes its ten seconds

    def test_those_who_take_their_time(self):
        before, bytes_before = self.metric('cut_off_total'), own_bytes(self.server.process.pid)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(who) for who in (self.head_by_bytes, self.body_by_bytes, self.message_by_bytes,
                                                      self.reader_that_stops, self.reader_of_events_that_stops,
                                                      self.pings_without_end, self.messages_without_a_pause)]:
                done.result()
        self.assertGreaterEqual(self.metric('cut_off_total'), before + 3)
        if not SANITIZED:
            self.assertLess(own_bytes(self.server.process.pid) - bytes_before, 32 << 20)

    def drip(self, plain, data):
        """A byte a second, as long as it is taken."""
        def run():
            try:
                for byte in data:
                    plain.sendall(bytes([byte]))
                    time.sleep(1)
            except OSError:
                pass
        threading.Thread(target=run, daemon=True).start()

    def refused_in_time(self, http):
        began = time.monotonic()
        http.socket.settimeout(30 * SLOW)
        self.assertEqual(http.read_reply().status, 408)
        self.assertTrue(9 < time.monotonic() - began < 13 * SLOW)
        http.socket.close()

    def head_by_bytes(self):
        http = Http(self.url)
        self.drip(http.socket, b'GET /stream/health HTTP/1.1\r\nHost: 127.0.0.1\r\n')
        self.refused_in_time(http)

    def body_by_bytes(self):
        http = Http(self.url)
        http.socket.sendall(http.head('POST', '/stream/sessions', {'Content-Length': 100}).encode())
        self.drip(http.socket, b' ' * 60)
        self.refused_in_time(http)

    def message_by_bytes(self):
        with WebSocket(self.url) as talk:
            talk.receive()
            began = time.monotonic()
            self.drip(talk.socket, WebSocket.frame(1, b'{"type":"ping","timestamp":1}' + b' ' * 50))
            messages, closed = talk.until_closed(30 * SLOW)
            self.assertEqual((messages[-1]['type'], closed.code), ('error', 1008))
            self.assertTrue(9 < time.monotonic() - began < 13 * SLOW)

    def is_read(self, session):
        stats = ask(self.url, 'GET', f'/stream/sessions/{session}/stats')
        self.assertEqual(stats.status, 200, 'the session lives on')
        return stats.json['connected']

    def reader_that_stops(self):
        bad = json.dumps({'type': 'frame', 'frame_id': 'x' * 140, 'image_data': '*'})
        burst = WebSocket.frame(1, bad.encode()) * 50
        talk = WebSocket(self.url, receive_buffer=4096)
        session = talk.receive()['client_id']
        talk.socket.settimeout(0.5)
        deadline = time.monotonic() + 20 * SLOW
        while self.is_read(session):
            self.assertLess(time.monotonic(), deadline)
            try:
                talk.socket.sendall(burst)
                time.sleep(0.12)  # within the messages of a second
            except OSError:
                time.sleep(0.2)
        talk.socket.close()
        with WebSocket(self.url, '/stream/detection?client_id=' + session) as again:
            self.assertEqual(again.receive()['client_id'], session)

    def reader_of_events_that_stops(self):
        session = ask(self.url, 'POST', '/stream/sessions', {}).json['client_id']
        path = f'/stream/process/{session}?frame_id={"x" * 140}'
        deadline = time.monotonic() + 25 * SLOW
        with Events(self.url, '/stream/events/' + session, receive_buffer=4096), Http(self.url) as http:
            while self.is_read(session):
                self.assertLess(time.monotonic(), deadline)
                for _ in range(50):
                    self.assertEqual(http.ask('POST', path, b'x', 'image/png').status, 202)
                time.sleep(0.1)

    def pings_without_end(self):
        """Pings of the protocol, whose answers nobody reads."""
        talk = WebSocket(self.url, receive_buffer=4096)
        talk.receive()
        flood = WebSocket.frame(9, b'x' * 125) * 500
        talk.socket.settimeout(0.5)
        deadline = time.monotonic() + 20 * SLOW
        while True:
            self.assertLess(time.monotonic(), deadline)
            try:
                talk.socket.sendall(flood)
            except socket.timeout:
                continue
            except OSError:
                return

    def messages_without_a_pause(self):
        """None of them is slow, but whenever the service looks one is on its way: more than the line carries."""
        ping = WebSocket.frame(1, b'{"type":"ping","timestamp":1}')
        with WebSocket(self.url) as talk:
            talk.receive()
            talk.socket.sendall(ping[:10])
            began = time.monotonic()
            while time.monotonic() - began < 12:
                time.sleep(0.2)
                talk.socket.sendall(ping[10:] + ping[:10])
                self.assertEqual(talk.receive(), {'type': 'ping', 'timestamp': 1})

    def test_idle_connections(self):
        """Whoever connects and says nothing hinders nobody, up to the limit of one address."""
        idle = [connect(self.url) for _ in range(40)]
        self.assertEqual(ask(self.url, 'GET', '/stream/health').status, 200)
        more = [connect(self.url) for _ in range(40)]
        time.sleep(0.3)
        for plain in idle + more:
            plain.close()
        time.sleep(0.5)
        self.wait_for(lambda: self.metric('connections') <= 3, 'connections to go', 5)


class FloodTest(Refusals):
    """Limits of how many and how often; the bystander comes from the same address, so it stands aside."""

    def test_strangers_say_little(self):
        """Before the token is known a message is small."""
        with tempfile.TemporaryDirectory() as folder:
            path, token = make_token(folder)
            with Running(PROGRAM, '--model', 'demo', '--token-file', path) as server:
                for data in (WebSocket.frame(1, b' ' * 4097), WebSocket.frame(2, b'\0' * 5000), WebSocket.frame(1, b' ' * 60000),
                             b'\x81\xff' + struct.pack('>Q', 1 << 50) + b'\0' * 4,
                             WebSocket.frame(1, b' ' * 4000, last=False) + WebSocket.frame(0, b' ' * 97)):
                    with WebSocket(server.url) as talk:
                        talk.send_raw(data)
                        self.too_large(talk, 4096)
                with WebSocket(server.url) as talk:
                    talk.send(json.dumps({'type': 'auth', 'token': token}).encode().ljust(4096))
                    self.assertEqual(talk.receive()['type'], 'config')
                    talk.send(b'{"type":"ping","timestamp":2}'.ljust(60000))
                    self.assertEqual(talk.receive(), {'type': 'ping', 'timestamp': 2})

    def test_requests_a_second(self):
        with Running(PROGRAM, '--model', 'demo', settings='streaming = { max_requests_per_s = 20; };') as server:
            began = time.monotonic()
            with Http(server.url) as http:
                replies = [http.ask('GET', '/stream/health') for _ in range(60)]
            seconds = time.monotonic() - began
            statuses = [reply.status for reply in replies]
            self.assertTrue(429 in statuses or seconds > 2)
            self.assertTrue(20 <= statuses.count(200) <= 20 * (seconds + 2), (statuses, seconds))
            for reply in replies:
                self.assertEqual('retry-after' in reply.headers, reply.status == 429)
            time.sleep(1.1)
            with WebSocket(server.url) as talk:
                talk.receive()
                talk.send_raw(WebSocket.frame(1, b'{"type":"ping"}') * 1200)
                messages, closed = talk.until_closed()
                self.assertEqual((messages[-1]['type'], closed.code), ('error', 1008))
            time.sleep(1.1)
            self.assertEqual(ask(server.url, 'GET', '/stream/health').status, 200)

    def test_sessions(self):
        with Running(PROGRAM, '--model', 'demo',
                     settings='streaming = { max_sessions = 3; max_sessions_per_peer = 3; };') as server:
            made = [ask(server.url, 'POST', '/stream/sessions', {}) for _ in range(5)]
            self.assertEqual([reply.status for reply in made], [201, 201, 201, 429, 429])
            with self.assertRaises(streaming.Refused) as refused:
                WebSocket(server.url)
            self.assertEqual(refused.exception.reply.status, 429)
            ask(server.url, 'DELETE', '/stream/sessions/' + made[0].json['client_id'])
            with WebSocket(server.url) as talk:
                self.assertEqual(talk.receive()['type'], 'config')


if __name__ == '__main__':
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
