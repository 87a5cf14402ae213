#!/usr/bin/python3
"""Requests byte by byte: where one ends is never in doubt, every refusal is JSON, and a page of a listed host may read
it.

usage: serve_http.py VEDETTE-CLI
"""
import json
import os
import sys
import time
import unittest

from serve_running import SLOW, Running
from streaming import Http, ask

PROGRAM = None
FRIEND = 'https://friend.example'
HEAD = 'POST /stream/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\n'
HIDDEN = 'GET /stream/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'


def split(data):
    """(status, headers, body) of each answer that came."""
    answers = []
    while data:
        head, data = data.split(b'\r\n\r\n', 1)
        lines = head.decode('latin-1').split('\r\n')
        headers = {name.lower(): value.strip() for name, value in (line.split(':', 1) for line in lines[1:])}
        length = int(headers.get('content-length', 0))
        answers.append((int(lines[0].split()[1]), headers, data[:length]))
        data = data[length:]
    return answers


class HttpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Running(PROGRAM, '--model', 'builtin:motion', settings=f'streaming = {{ origins = [ "{FRIEND}" ]; }};')
        cls.url = cls.server.url

    @classmethod
    def tearDownClass(cls):
        status, log = cls.server.stop(), ''.join(cls.server.messages)
        assert status == 130 and 'CRITICAL' not in log and 'not read by libsoup' not in log, (status, log)

    def answers(self, text, wait_s=0.5):
        """All answers to what is sent, until the connection is closed or nothing comes any more."""
        data = b''
        with Http(self.url) as http:
            http.socket.sendall(text if isinstance(text, bytes) else text.encode('latin-1'))
            http.socket.settimeout(wait_s * SLOW)
            try:
                while part := http.socket.recv(65536):
                    data += part
            except (TimeoutError, ConnectionError):
                pass
        return split(data)

    def refused(self, text, status):
        """Exactly one answer, in words."""
        got = self.answers(text)
        self.assertEqual([answer[0] for answer in got], [status], text[:120])
        self.assertEqual(got[0][1]['content-type'], 'application/json', text[:120])
        sentence = json.loads(got[0][2])['error']
        self.assertTrue(sentence.endswith('.') and len(sentence) > 20, sentence)
        return sentence

    # --- Where a request ends

    def test_a_request_in_the_body_of_another(self):
        """What a proxy takes for a body must not be taken for a request here."""
        size = len(HIDDEN)
        chunk = f'{size:x}\r\n{HIDDEN}\r\n0\r\n\r\n'
        for lines in (f'Content-Length : {size}\r\n\r\n{HIDDEN}', f'Content-Length\t: {size}\r\n\r\n{HIDDEN}',
                      f'Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n{chunk}',
                      f'Content-Length: 0\r\nTransfer-Encoding : chunked\r\n\r\n{chunk}',
                      f'Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}',
                      f'Con\0tent-Length: {size}\r\n\r\n{HIDDEN}', f'X: y\r\n Content-Length: {size}\r\n\r\n{HIDDEN}',
                      f'X: y\rContent-Length: {size}\r\n\r\n{HIDDEN}', f'X: y\nContent-Length: {size}\r\n\r\n{HIDDEN}',
                      f'Content-Length:\r\n {size}\r\n\r\n{HIDDEN}', f'Content-Length: +{size}\r\n\r\n{HIDDEN}',
                      f'Content-Length: {size}, {size}\r\n\r\n{HIDDEN}',
                      f'Content-Length: {size}\r\nContent-Length: 0\r\n\r\n{HIDDEN}',
                      f': y\r\nContent-Length: {size}\r\n\r\n{HIDDEN}', f'X\r\nContent-Length: {size}\r\n\r\n{HIDDEN}',
                      f'Transfer-Encoding: chunked, identity\r\n\r\n{chunk}',
                      f'Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n{HIDDEN}',
                      f'Transfer-Encoding: chunked\r\n\r\n0;\n\r\n{HIDDEN}', f'Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n{HIDDEN}',
                      f'Transfer-Encoding: chunked\r\n\r\n{"0" * 400}\r\n\r\n{HIDDEN}'):
            self.refused(HEAD + lines, 400)
        for lines in ('Transfer-Encoding: chunked\r\n\r\n' + chunk, f'Content-Length: {size}\r\nConnection: content-length\r\n\r\n{HIDDEN}'):
            self.refused(HEAD.replace('1.1', '1.0') + lines, 400)
        for refused in ('/nothing/at/all', '/stream/sessions/' + '0' * 32):  # libsoup takes its body for the next request
            self.refused(f'POST {refused} HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: {size}\r\n\r\n'
                         + HIDDEN, 404 if refused == '/nothing/at/all' else 405)
        preflight = f'OPTIONS /stream/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {FRIEND}\r\n'
        got = self.answers(f'{preflight}Expect: 100-continue\r\nContent-Length: {size}\r\n\r\n{HIDDEN}')
        self.assertEqual([answer[0] for answer in got], [204])

    def test_requests_behind_each_other(self):
        chunked = 'Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n'
        got = self.answers(HIDDEN + HEAD + chunked + '\r\n' + HEAD + f'Content-Length: {len(HIDDEN)}\r\n\r\n' + HIDDEN + HIDDEN)
        self.assertEqual([answer[0] for answer in got], [200, 201, 201, 200])
        got = self.answers(HEAD + 'Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}' + HIDDEN)
        self.assertEqual([answer[0] for answer in got], [100, 201, 200])

    # --- Every refusal in words

    def test_what_libsoup_would_refuse_without_a_word(self):
        def get(target, lines='Host: 127.0.0.1\r\n', version='1.1'):
            return f'GET {target} HTTP/{version}\r\n{lines}\r\n'
        self.assertIn('%25', self.refused(get('/stream/health%'), 400))
        self.assertIn('%25', self.refused(get('/stream/health?a=%zz'), 400))
        self.assertIn('UTF-8', self.refused(get('/stream/cameras/%ff'), 400))
        self.refused(get('*'), 404)
        self.refused('OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404)
        self.assertIn('Host', self.refused(get('/', ''), 400))
        self.assertIn('Host', self.refused(get('/', 'Host: a/b\r\n'), 400))
        self.assertIn('Expect', self.refused(get('/', 'Host: 127.0.0.1\r\nExpect: wonders\r\n'), 417))
        self.assertIn('1.1', self.refused(get('/', version='1.2'), 505))
        self.refused(get('nowhere'), 400)
        self.refused(get('http://evil.example/'), 400)
        self.refused('SSH-2.0-x\r\n\r\n', 400)
        self.refused('CONNECT /stream/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400)
        self.assertEqual(self.answers(get('http://127.0.0.1/stream/health'))[0][0], 200)

    def test_refused_connections_leave_at_once(self):
        """Who goes when it has its answer makes room: a peer has 64 connections."""
        for _ in range(200):
            with Http(self.url) as http:
                http.socket.sendall(b'nonsense\r\n\r\n')
                self.assertEqual(http.read_reply().status, 400)

    def test_what_is_too_long(self):
        def error(path, status):
            reply = ask(self.url, 'GET', path)
            self.assertEqual(reply.status, status, path[:60])
            return reply.json['error']
        self.assertIn('8000 bytes', error('/' + 'a' * 20000, 414))
        self.assertIn('8000 bytes', error('/stream/health?' + 'a' * 60000, 414))
        error(f'/stream/cameras/{"x" * 5000}/events', 404)
        error('/' + 'a' * 5000, 404)
        self.assertIn('more than 16 words', error('/stream/health?' + '&'.join(f'a{i}=1' for i in range(200)), 400))
        self.assertIn('longer than 47 bytes', error('/stream/health?' + 'x' * 300 + '=1', 400))
        self.assertIn('`frame_id`', error('/stream/health?frame_id=' + 'x' * 300, 422))
        self.assertIn('`a` stands twice', error('/stream/health?a=1&a=2', 400))
        self.assertIn('65536', self.refused(HEAD + 'X: y\r\n' * 20000, 431))

    def test_names_that_come_twice(self):
        for first, second in (('evil.example', '127.0.0.1'), ('127.0.0.1', 'evil.example'), ('127.0.0.1', '127.0.0.1')):
            sentence = self.refused(f'GET /stream/health HTTP/1.1\r\nHost: {first}\r\nHost: {second}\r\n\r\n', 400)
            self.assertIn('Host', sentence)
        for pair in (('https://evil.example', FRIEND), (FRIEND, 'https://evil.example')):
            lines = ''.join(f'Origin: {origin}\r\n' for origin in pair)
            self.assertIn('Origin', self.refused(f'GET /stream/health HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n', 403))

    # --- Types of bodies

    def test_media_types(self):
        process = ask(self.url, 'POST', '/stream/sessions', {}).json['process_endpoint']
        for kind, status in (('IMAGE/JPEG', 202), ('image/png; x=y', 202), ('Application/JSON', 400), ('application/jsonx', 415),
                             ('application/json;charset=utf-8', 400), ('imagejpeg', 415), ('text/plain', 415)):
            self.assertEqual(ask(self.url, 'POST', process, b'\xff\xd8', kind=kind).status, status, kind)
        for kind, status in (('APPLICATION/JSON ; charset=utf-8', 201), ('application/jsonx', 415), ('text/plain', 415),
                             ('image/jpeg', 415), ('application/x-www-form-urlencoded', 415)):
            reply = ask(self.url, 'POST', '/stream/sessions', {'fps_limit': 3}, kind=kind)
            self.assertEqual(reply.status, status, kind)
            if status == 415:
                self.assertIn('application/json', reply.json['error'])
        self.assertEqual(ask(self.url, 'POST', '/stream/sessions', b'', kind='text/plain').status, 201)
        reply = ask(self.url, 'POST', '/stream/sessions', b'null')
        self.assertEqual((reply.status, reply.json['error']), (400, 'The message is no JSON object.'))


class PagesTest(unittest.TestCase):
    """What the script of a page of a listed host can read of refusals."""

    def test_refusals(self):
        settings = f'streaming = {{ origins = [ "{FRIEND}" ]; max_requests_per_s = 6; max_image_mb = 1; token_file = "%s"; }};'
        with Running(PROGRAM, '--model', 'builtin:motion', settings=settings % 'tokens') as server:
            with open(os.path.join(server.folder, 'tokens'), encoding='utf-8') as file:
                token = file.read().split('\n')[-2]
            slow, size = Http(server.url, token), 90 << 20
            slow.socket.settimeout(30 * SLOW)
            slow.socket.sendall(slow.head('POST', '/stream/sessions', {'Origin': FRIEND, 'Content-Length': 9}).encode() + b'{')
            for method, path, length, status, more in (
                    ('GET', '/stream/stats', None, 401, 'www-authenticate'), ('GET', '/stream/cameras', None, 401, 'www-authenticate'),
                    ('POST', '/stream/sessions', size, 401, 'www-authenticate'), ('GET', '/stream/health', size, 413, 'vary'),
                    ('PUT', '/stream/sessions', size, 405, 'allow')):
                self.check(server.url, method, path, length, status, more)
            time.sleep(1.1 * SLOW)
            got = [self.check(server.url, 'GET', '/stream/health', length, None, 'access-control-expose-headers')
                   for length in [None, size] * 10]
            self.assertIn((None, 429), got)
            self.assertIn((size, 429), got)
            reply = slow.read_reply()
            self.assertEqual((reply.status, reply.headers.get('access-control-allow-origin')), (408, FRIEND))
            slow.socket.close()
            with Http(server.url) as http:  # who asks from elsewhere is told nothing of it
                http.socket.sendall(http.head('GET', '/stream/health', {'Content-Length': size}).encode())
                self.assertNotIn('access-control-allow-origin', http.read_reply().headers)

    def check(self, url, method, path, length, status, header):
        with Http(url) as http:
            lines = {'Origin': FRIEND, **({'Content-Length': length} if length else {})}
            http.socket.sendall(http.head(method, path, lines).encode())
            reply = http.read_reply()
        where = (method, path, length, reply.status, reply.headers)
        self.assertEqual(reply.headers.get('access-control-allow-origin'), FRIEND, where)
        self.assertEqual(reply.headers.get('access-control-expose-headers'), 'Retry-After', where)
        self.assertEqual(reply.headers.get('vary'), 'Origin', where)
        self.assertIn(header, reply.headers, where)
        if status:
            self.assertEqual(reply.status, status, where)
        if reply.status == 429:
            self.assertEqual(reply.headers['retry-after'], '1')
        return length, reply.status


if __name__ == '__main__':
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
