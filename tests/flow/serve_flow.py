#!/usr/bin/python3
"""Sessions as well-behaved clients use them: frames answered exactly once, configurations, resuming, taking over,
events, figures, TLS, the end.

usage: serve_flow.py VEDETTE-CLI
"""
import base64
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

import streaming
from serve_running import SLOW, Running
from streaming import Events, Http, Refused, WebSocket, ask, png

PROGRAM = None
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBhjCCASugAwIBAgIUBlaz7GlK1SG1h58k8cAlz90PUUgwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMdmVkZXR0ZS10ZXN0MCAXDTI2MTEyMTE5MTk0MVoYDzIxMjYx
MDI4MTkxOTQxWjAXMRUwEwYDVQQDDAx2ZWRldHRlLXRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAASJMdEA2xD9aD6YyloFiFc7uqC6tlFYu6KYbrb/qIiu4Mpq
hw1Qt6dDeSe2V+8HtqlgWjjCfHL4EAVz9iN6iKy9o1MwUTAdBgNVHQ4EFgQUWHQf
4kD3S94dReGGvfJCn35v9/kwHwYDVR0jBBgwFoAUWHQf4kD3S94dReGGvfJCn35v
9/kwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEApm4ACs2U31ny
Jf0Sw1lfW5r23aJiRLGCd5bhDqzRLvwCIQC9PNWtTWKXis+ES7gZxgsQeDeRErjj
OKsPZ8123ZN5ng==
-----END CERTIFICATE-----
"""
KEY = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIGXWx3SXN9SbjRPExprQ4B5SBZawhOTC/pTYyngTu+TdoAoGCCqGSM49
AwEHoUQDQgAEiTHRANsQ/Wg+mMpaBYhXO7qgurZRWLuimG62/6iIruDKaocNULen
Q3kntlfvB7apYFo4wnxy+BAFc/YjeoisvQ==
-----END EC PRIVATE KEY-----
"""


def answered(message):
    """(frame_id, kind) of an answer."""
    if message['type'] == 'detection_result':
        return message['data']['frame_id'], 'result'
    return message['frame_id'], message.get('reason', message['type'])


class ServedTest(unittest.TestCase):
    settings = ''

    @classmethod
    def setUpClass(cls):
        cls.server = Running(PROGRAM, '--model', 'demo', settings=cls.settings)
        cls.url = cls.server.url

    @classmethod
    def tearDownClass(cls):
        status, log = cls.server.stop(), ''.join(cls.server.messages)
        assert status == 130 and 'CRITICAL' not in log and 'WARNING' not in log, (status, log)


class FramesTest(ServedTest):
    def test_every_frame_is_answered_once(self):
        """Far more than fps_limit: results at its pace, the others skipped, and none twice or never."""
        count, ids = 120, collections.Counter()
        kinds = collections.Counter()
        with WebSocket(self.url, '/stream/detection?fps_limit=10') as talk:
            self.assertEqual(talk.receive()['config']['fps_limit'], 10)
            began = time.monotonic()
            for i in range(count):
                talk.send_picture(png(seed=i + 1), f'frame {i}')
                time.sleep(0.02)
            for message in talk.receive_all(count):
                frame_id, kind = answered(message)
                ids[frame_id] += 1
                kinds[kind] += 1
            seconds = time.monotonic() - began
            with self.assertRaises(TimeoutError):
                talk.receive(0.4)
        self.assertEqual(ids, collections.Counter(f'frame {i}' for i in range(count)))
        self.assertGreater(kinds['fps_limit'], 0, kinds)
        self.assertLessEqual(kinds['result'], 10 * seconds + 3, kinds)
        if SLOW == 1:
            self.assertGreaterEqual(kinds['result'], 10 * seconds * 0.6, kinds)

    def test_shapes_of_frames_and_results(self):
        picture = png(320, 240)
        text = base64.b64encode(picture).decode()
        with WebSocket(self.url, '/stream/detection?fps_limit=30&confidence_threshold=0.05') as talk:
            talk.receive()
            for sent, frame_id in ((dict(image_data=text, frame_id=7, timestamp=1.5), 7),
                                   (dict(image_data='data:image/png;base64,' + text, frame_id='ä"\\'), 'ä"\\'),
                                   (dict(image_data=text), None)):
                talk.send({'type': 'frame', **sent})
                message = talk.receive()
                self.assertEqual(message['type'], 'detection_result', message)
                data = message['data']
                self.assertEqual(data['frame_id'], frame_id)
                self.assertEqual((data['width'], data['height']), (320, 240))
                self.assertEqual(data['quality']['mode'], 'balanced')
                self.assertEqual(set(data['timing_ms']), {'queue', 'decode', 'forward'})
                self.assertGreater(data['processing_time_ms'], 0)
                self.assertEqual((data['model'], len(data['input'])), ('road-detector', 2))
                for one in data['detections']:
                    self.assertTrue(0 <= one['bbox'][0] <= one['bbox'][2] <= 320, one)
                    self.assertIn(one['class_name'], ('crack', 'pothole'))
            for frame_id in (1, 2):  # counted by the server
                talk.send_picture(picture)
                self.assertEqual(answered(talk.receive()), (frame_id, 'result'))
            talk.send_picture(picture, 'named')
            self.assertEqual(answered(talk.receive()), ('named', 'result'))

    def test_configuration(self):
        with WebSocket(self.url, '/stream/detection?fps_limit=3&quality_mode=fast&enable_tracking=false') as talk:
            first = talk.receive()
            self.assertEqual((first['config']['quality_mode'], first['config']['enable_tracking']), ('fast', False))
            talk.send({'type': 'config', 'config': {'max_detections': 5}})
            self.assertEqual(talk.receive()['config']['max_detections'], 5)
            talk.send({'type': 'config', 'config': {'max_detections': 5000, 'fps_limit': 1}})
            refused = talk.receive()
            self.assertEqual((refused['type'], refused['field'], refused['value']), ('error', 'max_detections', 5000))
            path = f'/stream/sessions/{first["client_id"]}/config'
            self.assertEqual(ask(self.url, 'GET', path).json['config']['fps_limit'], 3, 'nothing of a bad change counts')
            self.assertEqual(ask(self.url, 'PATCH', path, {'fps_limit': 4}).json['config']['fps_limit'], 4)
            bad = ask(self.url, 'PATCH', path, {'fps_limit': 0})
            self.assertEqual((bad.status, set(bad.json)), (422, {'error', 'field', 'value', 'range'}))
            talk.send({'type': 'ping', 'timestamp': 12.25})
            self.assertEqual(talk.receive(), {'type': 'ping', 'timestamp': 12.25})
        for query in ('fps_limit=0', 'fps_limit=x', 'quality_mode=best', 'wings=2', 'confidence_threshold=2'):
            with self.assertRaises(Refused) as refused:
                WebSocket(self.url, '/stream/detection?' + query)
            self.assertEqual(refused.exception.reply.status, 422, query)
            self.assertEqual(refused.exception.reply.json['field'], query.split('=')[0])
            reply = ask(self.url, 'POST', '/stream/sessions?' + query)
            self.assertEqual((reply.status, reply.json['field']), (422, query.split('=')[0]))
        made = ask(self.url, 'POST', '/stream/sessions?fps_limit=3&enable_tracking=false', {'max_detections': 5}).json
        self.assertEqual([made['config'][name] for name in ('fps_limit', 'enable_tracking', 'max_detections')],
                         [3, False, 5])
        twice = ask(self.url, 'POST', '/stream/sessions?fps_limit=3', {'fps_limit': 3})
        self.assertEqual((twice.status, twice.json['field'], twice.json['value']), (422, 'fps_limit', 3))

    def test_limits_are_told(self):
        limits = {'max_fps': 30, 'max_image_bytes': 8 << 20, 'max_image_megapixels': 25}
        self.assertEqual(ask(self.url, 'POST', '/stream/sessions').json['limits'], limits)
        self.assertEqual(ask(self.url, 'GET', '/stream/stats').json['limits'], limits)

    def test_replies_end_their_line(self):
        made = ask(self.url, 'POST', '/stream/sessions', {})
        process = made.json['process_endpoint']
        for reply in (made, ask(self.url, 'GET', '/stream/stats'), ask(self.url, 'GET', '/nothing/at/all'),
                      ask(self.url, 'POST', process, png(), kind='image/png'),
                      ask(self.url, 'POST', '/stream/sessions', {'wings': 2}),
                      ask(self.url, 'POST', '/stream/sessions', b' ' * 70000)):
            self.assertTrue(reply.body.endswith(b'}\n') and reply.body.count(b'\n') == 1, reply.body)

    def test_rest_and_events(self):
        made = ask(self.url, 'POST', '/stream/sessions', {'fps_limit': 30})
        self.assertEqual((made.status, made.json['config']['fps_limit']), (201, 30))
        picture = png()
        with Events(self.url, made.json['sse_endpoint']) as events, Http(self.url) as http:
            self.assertEqual(events.headers['content-type'], 'text/event-stream')
            process = made.json['process_endpoint']
            for i in range(5):
                reply = http.ask('POST', f'{process}?frame_id=p{i}&timestamp={i}', picture, 'image/png')
                self.assertEqual((reply.status, reply.json), (202, {'frame_id': f'p{i}'}))
                self.assertEqual(answered(events.receive()), (f'p{i}', 'result'))
            reply = http.ask('POST', process, {'image_data': base64.b64encode(picture).decode(), 'frame_id': 9})
            self.assertEqual(reply.json, {'frame_id': 9})
            self.assertEqual(answered(events.receive()), (9, 'result'))
            reply = http.ask('POST', process, picture, 'image/png')
            self.assertEqual(answered(events.receive()), (reply.json['frame_id'], 'result'))
            self.assertEqual(http.ask('POST', process, b'x', 'text/plain').status, 415)
            self.assertEqual(http.ask('POST', process, b'', 'image/png').status, 400)
            self.assertEqual(http.ask('POST', process + '?frame=7', picture, 'image/png').json['field'], 'frame')
            both = http.ask('POST', process + '?frame_id=7', {'image_data': base64.b64encode(picture).decode()})
            self.assertEqual((both.status, 'query' in both.json['error'], both.json['field']), (422, True, 'frame_id'))
            self.assertEqual(http.ask('DELETE', '/stream/sessions/' + made.json['client_id']).status, 204)
            last = events.receive()
            self.assertEqual((last['type'], 'deleted' in last['error']), ('error', True))
            with self.assertRaises(EOFError):
                events.receive()

    def test_values_of_frames(self):
        """The same values are refused in the query, in the body and over the WebSocket, in the same words."""
        session = ask(self.url, 'POST', '/stream/sessions', {'fps_limit': 30}).json['client_id']
        process, picture = f'/stream/process/{session}', png()
        text = base64.b64encode(picture).decode()
        words = {'frame_id': ['x' * 160, 'é' * 80, 'x' * 300, '"' * 160], 'timestamp': ['nan', 'inf', '1e400', '0x10', '', 'x']}
        values = {'frame_id': [True, [1], {'a': 1}, *words['frame_id']], 'timestamp': ['x', True, [], '3'],
                  'image_data': [None, 7, '', '****'], 'type': ['ping', 7]}
        ranges = {'frame_id': 'a number, or a text of at most 159 bytes', 'timestamp': 'a number of seconds'}

        def check(reply, field, value):
            self.assertEqual((reply.status, set(reply.json)), (422, {'error', 'field', 'value', 'range'}), (field, value))
            self.assertEqual((reply.json['field'], reply.json['range']), (field, ranges.get(field, reply.json['range'])))
            if len(str(value)) < 50:
                self.assertEqual(reply.json['value'], value)

        with WebSocket(self.url) as talk, Http(self.url) as http:
            talk.receive()
            for field, given in words.items():
                for value in given:
                    path = f'{process}?{field}={urllib.parse.quote(value)}'
                    check(http.ask('POST', path, picture, 'image/png'), field, value)
            for field, given in values.items():
                for value in given:
                    frame = {'image_data': text, field: value}
                    reply = http.ask('POST', process, frame)
                    check(reply, field, value)
                    talk.send({'type': 'frame', **frame})
                    if field != 'type':
                        self.assertEqual(talk.receive(), {'type': 'error', 'error': reply.json['error'], 'frame_id': None})
                    else:
                        talk.receive()
            check(http.ask('POST', process, {}), 'image_data', None)
            for frame_id in ('x' * 159, '\x01' * 159, 'é' * 79, '"\\\n' * 53):
                reply = http.ask('POST', process, {'image_data': text, 'frame_id': frame_id})
                self.assertEqual((reply.status, reply.json), (202, {'frame_id': frame_id}))
                talk.send({'type': 'frame', 'image_data': '*', 'frame_id': frame_id})
                self.assertEqual(talk.receive()['frame_id'], frame_id)
            for frame_id in ('x' * 159, 'é' * 79, '"\\ ' * 53):
                path = f'{process}?frame_id={urllib.parse.quote(frame_id)}'
                self.assertEqual(http.ask('POST', path, picture, 'image/png').json, {'frame_id': frame_id})

    def test_errors_of_no_frame(self):
        """They say so: their frame_id is null."""
        with WebSocket(self.url) as old:
            session = old.receive()['client_id']
            with WebSocket(self.url, '/stream/detection?client_id=' + session) as new:
                new.receive()
                self.assertEqual(old.until_closed()[0][-1]['frame_id'], None)
                ask(self.url, 'DELETE', '/stream/sessions/' + session)
                self.assertEqual(new.until_closed()[0][-1]['frame_id'], None)

    def test_resuming(self):
        """Answers wait for whoever comes back."""
        with WebSocket(self.url) as talk:
            session = talk.receive()['client_id']
        with Http(self.url) as http:
            for i in range(4):
                http.ask('POST', f'/stream/process/{session}?frame_id={i}', png(), 'image/png')
                time.sleep(0.15)
            deadline = time.monotonic() + 5 * SLOW
            while http.ask('GET', f'/stream/sessions/{session}/stats').json['answers_waiting'] < 4:
                self.assertLess(time.monotonic(), deadline)
        with WebSocket(self.url, '/stream/detection?client_id=' + session) as talk:
            self.assertEqual(talk.receive()['client_id'], session)
            self.assertEqual([answered(message)[0] for message in talk.receive_all(4)], [0, 1, 2, 3])
            talk.send_picture(png(), 'more')
            self.assertEqual(answered(talk.receive())[0], 'more')

    def test_taking_over(self):
        with WebSocket(self.url) as old:
            session = old.receive()['client_id']
            with WebSocket(self.url, '/stream/detection?client_id=' + session) as new:
                new.receive()
                messages, closed = old.until_closed()
                self.assertEqual((messages[-1]['type'], closed.code), ('error', 4001))
                new.send_picture(png(), 1)
                self.assertEqual(answered(new.receive()), (1, 'result'))
                with Events(self.url, '/stream/events/' + session):
                    self.assertEqual(new.until_closed()[1].code, 4001)

    def test_coming_back_before_the_old_connection_is_gone(self):
        """One that was closed and does not answer that stays a while; its end is not that of the new one."""
        with WebSocket(self.url) as old, Http(self.url) as http:
            session = old.receive()['client_id']

            def offer(number):
                http.ask('POST', f'/stream/process/{session}?frame_id={number}', b'no picture', 'image/png')

            old.send_raw(WebSocket.frame(1, b'{"type":"ping"}') * 1200)
            self.assertEqual(old.until_closed()[1].code, 1008)
            offer(1)
            deadline = time.monotonic() + 5 * SLOW
            while http.ask('GET', f'/stream/sessions/{session}/stats').json['answers_waiting'] < 1:
                self.assertLess(time.monotonic(), deadline)
            with WebSocket(self.url, '/stream/detection?client_id=' + session) as new:
                new.receive()
                self.assertEqual(answered(new.receive()), (1, 'error'))
                self.assertEqual(old.until_closed()[1].code, 1006)
                time.sleep(0.3)
                offer(2)
                self.assertEqual(answered(new.receive()), (2, 'error'))

    def test_deleting(self):
        with WebSocket(self.url) as talk:
            session = talk.receive()['client_id']
            self.assertEqual(ask(self.url, 'DELETE', '/stream/sessions/' + session).status, 204)
            messages, closed = talk.until_closed()
            self.assertEqual((messages[-1]['type'], closed.code), ('error', 1000))
        self.assertEqual(ask(self.url, 'DELETE', '/stream/sessions/' + session).status, 404)

    def test_ledgers(self):
        with WebSocket(self.url, '/stream/detection?fps_limit=5') as talk:
            session = talk.receive()['client_id']
            for i in range(30):
                talk.send_picture(png() if i % 3 else b'nonsense', i)
            talk.receive_all(30)
            ledger = ask(self.url, 'GET', f'/stream/sessions/{session}/stats').json
            whole = ask(self.url, 'GET', '/stream/stats').json
        for one in (ledger, whole['total']):
            self.assertEqual(one['frames'], one['results'] + one['failed'] + sum(one['skipped'].values())
                             + one['waiting'] + one['under_way'])
        self.assertEqual(ledger['frames'], 30)
        self.assertTrue(any(one['client'].startswith(session[:4]) for one in whole['sessions']))

    def test_metrics(self):
        text = ask(self.url, 'GET', '/metrics')
        self.assertTrue(text.headers['content-type'].startswith('text/plain; version=0.0.4'))
        families, values = check_metrics(self, text.body.decode())
        for name, kind in (('frames_total', 'counter'), ('latency_seconds', 'histogram'), ('sessions', 'gauge'),
                           ('skipped_total', 'counter'), ('refused_total', 'counter'), ('quality_level', 'gauge')):
            self.assertEqual(families['vedette_' + name], kind)
        self.assertGreater(values['vedette_process_resident_bytes'], 1 << 20)

    def test_without_cameras_there_is_no_stage_2(self):
        self.assertIsNone(ask(self.url, 'GET', '/stream/stats').json['step2'])
        self.assertNotIn('step2', ask(self.url, 'GET', '/metrics').body.decode())

    def test_connections_are_kept_alive(self):
        with Http(self.url) as http:
            for _ in range(3):
                self.assertEqual(http.ask('GET', '/stream/health').json['status'], 'ok')
            head = http.head('GET', '/stream/health', {}).encode()
            http.socket.sendall(head * 3)  # three at once
            self.assertEqual([http.read_reply().status for _ in range(3)], [200] * 3)
            self.assertEqual(http.ask('HEAD', '/stream/health').status, 200)
            reply = http.ask('POST', '/stream/sessions', {}, Expect='100-continue')
            self.assertIn(reply.status, (100, 201))

    def test_the_page(self):
        page = ask(self.url, 'GET', '/')
        self.assertTrue(page.headers['content-type'].startswith('text/html'))
        self.assertIn("default-src 'self'", page.headers['content-security-policy'])
        kinds = {'js': 'text/javascript; charset=utf-8', 'css': 'text/css; charset=utf-8', 'svg': 'image/svg+xml'}
        named = re.findall(r'(?:src|href)="([\w.]+\.(js|css|svg))"', page.body.decode())
        self.assertEqual({kind for _, kind in named}, set(kinds))
        for name, kind in named:
            reply = ask(self.url, 'GET', '/' + name)
            self.assertEqual((reply.status, reply.headers['content-type']), (200, kinds[kind]), name)
        self.assertEqual(ask(self.url, 'GET', '/openapi.json').json['openapi'][:3], '3.1')
        self.assertEqual(ask(self.url, 'GET', '/stream/cameras').json, {'cameras': []})


SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)')


def check_metrics(test, text):
    """Reads Prometheus' text form strictly: ({family: kind}, {sample: value})."""
    families, values, helped = {}, {}, set()
    test.assertTrue(text.endswith('\n'))
    for line in text.splitlines():
        if line.startswith('# HELP '):
            name, words = line[7:].split(' ', 1)
            test.assertTrue(words and name not in helped, line)
            helped.add(name)
        elif line.startswith('# TYPE '):
            name, kind = line[7:].split(' ')
            test.assertIn(kind, ('counter', 'gauge', 'histogram'))
            test.assertNotIn(name, families)
            families[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            test.assertTrue(match, line)
            family = match[1] if match[1] in families else re.sub('_(bucket|sum|count)$', '', match[1])
            test.assertIn(family, families, line)
            test.assertEqual(match[1].endswith('_total'), families[family] == 'counter', line)
            key = match[1] + (match[2] or '')
            test.assertNotIn(key, values)
            values[key] = float(match[3]) if match[3] else 0
    test.assertEqual(set(families), helped)
    buckets = [value for key, value in values.items() if '_bucket{' in key]
    test.assertEqual(buckets, sorted(buckets))
    test.assertEqual(values['vedette_latency_seconds_bucket{le="+Inf"}'], values['vedette_latency_seconds_count'])
    return families, values


class TimeoutTest(ServedTest):
    settings = 'streaming = { session_timeout = 1.0; };'

    def test_sessions_time_out(self):
        session = ask(self.url, 'POST', '/stream/sessions', {}).json['client_id']
        with WebSocket(self.url) as talk:
            busy = talk.receive()['client_id']
            for _ in range(int(8 * SLOW)):
                talk.send({'type': 'ping', 'timestamp': 0})
                talk.receive()
                time.sleep(0.3)
            self.assertEqual(ask(self.url, 'GET', '/stream/sessions/' + session).status, 404)
            self.assertEqual(ask(self.url, 'GET', '/stream/sessions/' + busy).status, 200)
            with self.assertRaises(TimeoutError):  # nor does one that is only read
                talk.receive(2.5 * SLOW)
            self.assertEqual(ask(self.url, 'GET', '/stream/sessions/' + busy).status, 200)
        deadline = time.monotonic() + 5 * SLOW
        while ask(self.url, 'GET', '/stream/sessions/' + busy).status == 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        self.assertEqual(ask(self.url, 'GET', '/stream/stats').json['sessions'], [])


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='vedette-serve-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8', opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            file.write(text)
        return path

    def refused(self, *options, status=2, **environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith('STREAMING_')}
        done = subprocess.run([PROGRAM, 'serve', '--port', '0', *options], capture_output=True, text=True,
                              timeout=30 * SLOW, cwd=self.folder, check=False,
                              env={**kept, 'HOME': self.folder, 'XDG_CONFIG_HOME': self.folder, **environment})
        self.assertEqual((done.returncode, done.stdout), (status, ''), done.stderr)
        self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
        return done.stderr

    def test_tls(self):
        certificate, key = self.write('cert.pem', CERTIFICATE), self.write('key.pem', KEY)
        with Running(PROGRAM, '--model', 'demo', '--tls-cert', certificate, '--tls-key', key) as server:
            self.assertTrue(server.url.startswith('https://'))
            idle = streaming.connect(server.url.replace('https', 'http'))  # says nothing
            with Http(server.url) as http:
                for _ in range(2):
                    self.assertEqual(http.ask('GET', '/stream/health').json['status'], 'ok')
            own = 'https://%s:%d' % streaming.address_of(server.url)
            with WebSocket(server.url, Origin=own) as talk:
                talk.receive()
                talk.send_picture(png(640, 480), 1)
                self.assertEqual(answered(talk.receive()), (1, 'result'))
            with self.assertRaises(Refused):
                WebSocket(server.url, Origin=own.replace('https', 'http'))
            idle.close()
        self.assertIn('PEM', self.refused('--tls-cert', key, '--tls-key', certificate))
        told = self.refused('--tls-cert', 'no-cert.pem', '--tls-key', 'no-key.pem')
        self.assertTrue('no-cert.pem' in told and 'no-key.pem' in told, told)
        self.assertIn('missing.pem', self.refused('--tls-cert', certificate, '--tls-key', 'missing.pem'))
        self.assertIn('missing.pem', self.refused('--tls-cert', 'missing.pem', '--tls-key', key))
        self.refused('--tls-cert', certificate)
        other = os.path.join(self.folder, 'other.pem')
        subprocess.run(['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', other],
                       check=True, capture_output=True)
        told = self.refused('--tls-cert', certificate, '--tls-key', other)
        self.assertTrue('other.pem' in told and 'does not belong' in told, told)

    def test_what_is_refused(self):
        self.assertIn('address', self.refused('--listen', 'example.org'))
        self.assertIn('nothing.onnx', self.refused('--model', 'nothing.onnx'))
        self.assertIn('STREAMING_MAX_FPS', self.refused(STREAMING_MAX_FPS='99'))
        self.refused('--port', '99999')
        open_file = self.write('open', 'a-token-that-everybody-may-read\n')
        os.chmod(open_file, 0o644)
        self.refused('--token-file', open_file)
        for option in ('--token-file', '--tls-cert', '--tls-key', '--listen'):  # a variable that was never set
            self.assertIn(f'{option} is empty', self.refused(option, ''))
        self.refused('--token-file', '/dev/null/token')
        self.assertIn('198.51.100.7', self.refused('--listen', '198.51.100.7', '--token-file', self.write('t', 'x' * 32)))
        with Running(PROGRAM, '--model', 'demo') as server:
            port = str(streaming.address_of(server.url)[1])
            told = self.refused('--port', port, '--model', 'demo', status=1)
            self.assertTrue(port in told and '`streaming`' in told and '--port' in told, told)

    def test_who_else_can_come_in(self):
        """More than loopback is told on stderr; the line on stdout stays."""
        certificate, key = self.write('cert.pem', CERTIFICATE), self.write('key.pem', KEY)
        token = ('--token-file', os.path.join(self.folder, 'token'))
        for options, other, overheard in (((), 0, 0), (token, 0, 0), (('--listen', '0.0.0.0', *token), 1, 1),
                                          (('--listen', '0.0.0.0', *token, '--tls-cert', certificate, '--tls-key', key),
                                           1, 0)):
            with Running(PROGRAM, '--model', 'demo', *options) as server:
                self.assertEqual(streaming.address_of(server.url)[0], '127.0.0.1')
                told = self.told(server, other + overheard + (token[0] in options))
                self.assertEqual([told.count('other addresses'), told.count('token out of ' + token[1]),
                                  told.count('overheard')], [other, int(token[0] in options), overheard], told)
                named = re.findall(r'(https?)://([\d.]+):(\d+)/', told)
                self.assertTrue({(server.url.split(':')[0], str(streaming.address_of(server.url)[1]))} >=
                                {(scheme, port) for scheme, _, port in named}, told)
                self.assertNotIn('127.0.0.1', [address for _, address, _ in named])

    def told(self, server, lines):
        """What stands on stderr once it has so many lines."""
        deadline = time.monotonic() + 5 * SLOW
        while len(server.messages) < lines:
            self.assertLess(time.monotonic(), deadline, server.messages)
            time.sleep(0.02)
        return ''.join(server.messages)

    def test_the_help(self):
        text = subprocess.run([PROGRAM, 'serve', '--help'], capture_output=True, text=True, check=True).stdout
        self.assertEqual([line for line in text.split('\n') if line != line.rstrip() or len(line) > 110], [])
        self.assertTrue(text.startswith('Usage: vedette-cli serve [OPTIONS]\n'), text)

    def test_a_token_is_made(self):
        file = os.path.join(self.folder, 'token')
        with Running(PROGRAM, '--model', 'demo', '--token-file', file) as server:
            self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
            with open(file, encoding='utf-8') as lines:
                token = [line.strip() for line in lines if not line.startswith('#')][-1]
            self.assertEqual(ask(server.url, 'GET', '/stream/stats').status, 401)
            self.assertEqual(ask(server.url, 'GET', '/stream/stats', token=token).status, 200)
            self.assertIn(file, self.told(server, 1))

    def test_the_end_of_frames(self):
        """Those that wait for their turn or are under way are answered before the connection is closed."""
        for events in (False, True):
            server = Running(PROGRAM, '--model', 'demo')
            session = ask(server.url, 'POST', '/stream/sessions', {'fps_limit': 1}).json['client_id']
            ids, answers = list(range(4)), []
            with (Events(server.url, '/stream/events/' + session) if events else
                  WebSocket(server.url, '/stream/detection?client_id=' + session)) as reader:
                if not events:
                    reader.receive()  # the configuration
                for frame_id in ids:
                    ask(server.url, 'POST', f'/stream/process/{session}?frame_id={frame_id}', png(640, 480),
                        kind='image/png')
                server.process.send_signal(signal.SIGTERM)
                with self.assertRaises((EOFError, streaming.Closed)):
                    while True:
                        answers.append(reader.receive())
            self.assertIn(server.process.wait(5 * SLOW), (130, 143))
            server.stop()
            last = answers.pop()
            self.assertEqual((last['type'], last['error'], last['frame_id']), ('error', 'The service stops.', None))
            self.assertEqual(sorted(answered(answer)[0] for answer in answers), ids, answers)
            self.assertEqual(answered(answers[-1]), (3, 'error'), answers)

    def test_the_end(self):
        """Clients are told, and it is over at once, whatever they do."""
        server = Running(PROGRAM, '--model', 'demo')
        with WebSocket(server.url) as talk, WebSocket(server.url) as silent, Http(server.url) as idle:
            session = talk.receive()['client_id']
            silent.receive()
            idle.ask('GET', '/stream/health')
            half = streaming.connect(server.url)
            half.sendall(b'POST /stream/sessions HTTP/1.1\r\nContent-Le')
            made = ask(server.url, 'POST', '/stream/sessions', {}).json
            with Events(server.url, made['sse_endpoint']) as events:
                for i in range(10):
                    talk.send_picture(png(640, 480), i)
                began = time.monotonic()
                server.process.send_signal(signal.SIGINT)
                messages, closed = talk.until_closed()
                self.assertEqual((closed.code, messages[-1]['type']), (1001, 'error'))
                self.assertEqual(events.receive()['type'], 'error')
                self.assertEqual(server.process.wait(5 * SLOW), 130)
                self.assertLess(time.monotonic() - began, 1.5 * SLOW)
            half.close()
        self.assertTrue(session)
        server.stop()


if __name__ == '__main__':
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
