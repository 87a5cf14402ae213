#!/usr/bin/python3
"""Who may ask for what: every route of core/serve/routes.c without a token, with a wrong one, with a session's id that
is unknown, expired, altered or of another token; and pages of strangers.

usage: serve_security.py VEDETTE-CLI
"""
import os
import re
import sys
import tempfile
import time
import unittest

import streaming
from serve_running import ROOT, SLOW, Running
from streaming import Http, Refused, WebSocket, ask, png

PROGRAM = None
TOKENS = ['first-token-0123456789abcdef', 'second-token-0123456789abcdef']
TIMEOUT_S = 4.0 * SLOW

# What each route answers: without a token, with the right one, and with the id of a session that is not ours. A
# WebSocket may bring its token in its first message, so without one it is let in (101) to do that.
ANSWERS = {
    'POST /stream/sessions': (401, 201, None),
    'GET /stream/sessions/{client_id}': (401, 200, 404),
    'DELETE /stream/sessions/{client_id}': (401, 204, 404),
    'GET /stream/sessions/{client_id}/stats': (401, 200, 404),
    'GET /stream/sessions/{client_id}/config': (401, 200, 404),
    'PATCH /stream/sessions/{client_id}/config': (401, 200, 404),
    'POST /stream/process/{client_id}': (401, 202, 404),
    'GET /stream/events/{client_id}': (401, 200, 404),
    'GET /stream/detection': (101, 101, 404),
    'POST /stream/ticket': (401, 201, None),
    'GET /stream/health': (200, 200, None),
    'GET /stream/stats': (401, 200, None),
    'GET /stream/cameras': (401, 200, None),
    'GET /stream/cameras/{name}': (101, 404, None),
    'GET /stream/cameras/{name}/events': (401, 404, None),
    'GET /metrics': (401, 200, None),
    'GET /': (200, 200, None),
    'GET /{file}': (200, 200, None),
}
SOCKETS = ('GET /stream/detection', 'GET /stream/cameras/{name}')
SETTINGS = """streaming = {{ token_file = "{file}"; origins = [ "https://friend.example" ]; session_timeout = {timeout};
    max_sessions = 1000; max_sessions_per_peer = 1000; }};"""


def routes():
    """The rows of the table in the program's source."""
    with open(os.path.join(ROOT, 'core/serve/routes.c'), encoding='utf-8') as file:
        return [f'{method} {path}' for method, path in re.findall(r'\{"([A-Z]+)", "(/[^"]*)"', file.read())]


class SecurityTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='vedette-serve-')
        file = os.path.join(cls.folder.name, 'tokens')
        with open(file, 'w', encoding='utf-8', opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
            out.write('# of a test\n' + '\n'.join(TOKENS) + '\n')
        cls.server = Running(PROGRAM, '--model', 'demo', home=cls.folder.name,
                             settings=SETTINGS.format(file=file, timeout=TIMEOUT_S))
        cls.url = cls.server.url

    @classmethod
    def tearDownClass(cls):
        status = cls.server.stop()
        log = ''.join(cls.server.messages)
        cls.folder.cleanup()
        assert status == 130, (status, log)
        for token in TOKENS:
            assert token not in log, 'a token stands in the log'

    def status(self, route, token=None, client_id='0' * 32, **headers):
        method, path = route.split()
        path = path.replace('{client_id}', client_id).replace('{name}', 'porch').replace('{file}', 'page.js')
        if route in SOCKETS:
            if route == 'GET /stream/detection' and client_id != '0' * 32:
                path += '?client_id=' + client_id
            try:
                with WebSocket(self.url, path, token, **headers):
                    return 101
            except Refused as refused:
                return refused.reply.status
        with Http(self.url, token) as http:
            body, kind = None, 'application/json'
            if method in ('POST', 'PATCH'):
                body = {}
            if 'process' in path:
                body, kind = png(), 'image/png'
            if 'events' not in path:
                return http.ask(method, path, body, kind, **headers).status
            http.socket.sendall(http.head(method, path, headers).encode())
            return http.read_head()[0]

    def session(self, token=TOKENS[0]):
        return ask(self.url, 'POST', '/stream/sessions', {}, token).json['client_id']

    def test_the_table_is_whole(self):
        self.assertEqual(sorted(routes()), sorted(ANSWERS))

    def test_without_a_token(self):
        mine = self.session()
        for route, (without, _, _) in ANSWERS.items():
            self.assertEqual(self.status(route, client_id=mine), without, route)

    def test_heads_without_a_token(self):
        mine = self.session()
        for route, (without, _, _) in ANSWERS.items():
            method, path = route.split()
            path = path.replace('{client_id}', mine).replace('{name}', 'porch').replace('{file}', 'page.js')
            if method == 'GET':
                wanted = (200,) if without == 200 else (401, 405)
                self.assertIn(ask(self.url, 'HEAD', path).status, wanted, route)

    def test_with_a_wrong_token(self):
        mine = self.session()
        for route, (without, right, _) in ANSWERS.items():
            for wrong in ('', 'x', TOKENS[0][:-1], TOKENS[0] + 'x', TOKENS[0].upper(), 'Bearer', '\xff' * 32, 'x' * 300):
                wanted = 401 if without != 200 else right
                self.assertEqual(self.status(route, None, mine, Authorization='Bearer ' + wrong), wanted, (route, wrong))
            self.assertEqual(self.status(route, None, mine, Authorization='Basic ' + TOKENS[0]), wanted, route)

    def test_with_the_right_token(self):
        for route, (_, right, _) in ANSWERS.items():
            self.assertEqual(self.status(route, TOKENS[0], self.session()), right, route)

    def test_sessions_of_others(self):
        other = self.session(TOKENS[1])
        mine = self.session()
        altered = mine[:-1] + ('0' if mine[-1] != '0' else '1')
        for route, (_, _, stranger) in ANSWERS.items():
            if stranger is None:
                continue
            for name, client_id in (('unknown', 'f' * 32), ('altered', altered), ('of another token', other),
                                    ('shorter', mine[:-1]), ('longer', mine + '0'), ('upper case', mine.upper())):
                self.assertEqual(self.status(route, TOKENS[0], client_id), stranger, (route, name))
        self.assertEqual(self.status('GET /stream/sessions/{client_id}', TOKENS[1], other), 200)

    def test_expired_sessions(self):
        expired = {route: self.session() for route, answer in ANSWERS.items() if answer[2]}
        time.sleep(TIMEOUT_S + 1)
        for route, client_id in expired.items():
            self.assertEqual(self.status(route, TOKENS[0], client_id), ANSWERS[route][2], route)

    def test_other_methods(self):
        paths = {}
        for route in ANSWERS:
            method, path = route.split()
            paths.setdefault(path, set()).add(method)
        for path, methods in paths.items():
            for method in {'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'BREW'} - methods:
                reply = ask(self.url, method, path.replace('{client_id}', '0' * 32).replace('{name}', 'porch')
                            .replace('{file}', 'page.js'), token=TOKENS[0])
                self.assertEqual(reply.status, 405, (method, path))
                self.assertTrue(methods <= set(reply.headers['allow'].split(', ')), (method, path, reply.headers))
                self.assertIn(reply.headers['allow'] + '.', reply.json['error'])
        reply = ask(self.url, 'GET', '/stream/sessions', token=TOKENS[0])
        self.assertEqual((reply.status, reply.headers['allow']), (405, 'POST'))

    def test_paths_that_are_none(self):
        for path in ('/stream', '/stream/', '/etc/passwd', '/../../etc/passwd', '/%2fetc%2fpasswd',
                     '/stream/sessions/', '/stream/sessions/a/b/c', '//', '/index.html/', '/page.js%00', '/pa%67e.jss'):
            self.assertIn(ask(self.url, 'GET', path, token=TOKENS[0]).status, (400, 404), path)
        for path in ('/%', '/%g1', '/stream/cameras/%ff/events', '/stream/health?a=%zz', '/stream/health?a=%ff',
                     '/stream/health?a=1&a=2', '/stream/health?' + '&'.join(f'k{i}=1' for i in range(40))):
            self.assertEqual(ask(self.url, 'GET', path, token=TOKENS[0]).status, 400, path)

    def test_the_first_message_brings_the_token(self):
        with WebSocket(self.url) as talk:
            talk.send({'type': 'auth', 'token': TOKENS[1]})
            self.assertEqual(talk.receive()['type'], 'config')
        for message in ({'type': 'auth', 'token': 'no-token-of-anybody-at-all'}, {'type': 'ping'}, b'nonsense'):
            with WebSocket(self.url) as talk:
                talk.send(message)
                messages, closed = talk.until_closed()
                self.assertEqual([message['type'] for message in messages], ['error'])
                self.assertEqual(closed.code, 1008)
        with WebSocket(self.url) as talk:
            talk.send_picture(png())
            self.assertEqual(talk.until_closed()[1].code, 1008)

    def test_strangers_send_little(self):
        with WebSocket(self.url) as talk:
            talk.send_raw(WebSocket.frame(2, b'x' * 5000))
            self.assertIn(talk.until_closed()[1].code, (1009, 1006))

    def test_a_socket_without_a_token_is_closed(self):
        with WebSocket(self.url) as talk:
            began = time.monotonic()
            messages, closed = talk.until_closed(15 * SLOW)
            self.assertEqual((messages[0]['type'], closed.code), ('error', 1008))
            self.assertGreater(time.monotonic() - began, 4)

    def test_tickets_serve_once(self):
        ticket = ask(self.url, 'POST', '/stream/ticket', token=TOKENS[0]).json['ticket']
        with WebSocket(self.url, '/stream/detection?ticket=' + ticket) as talk:
            mine = talk.receive()['client_id']
        with self.assertRaises(Refused) as refused:
            WebSocket(self.url, '/stream/detection?ticket=' + ticket)
        self.assertEqual(refused.exception.reply.status, 401)
        for token, status in ((TOKENS[0], 200), (TOKENS[1], 404)):
            ticket = ask(self.url, 'POST', '/stream/ticket', token=token).json['ticket']
            with streaming.Events(self.url, f'/stream/events/{mine}?ticket={ticket}') as events:
                self.assertEqual(events.status, status)
        ticket = ask(self.url, 'POST', '/stream/ticket', token=TOKENS[0]).json['ticket']
        self.assertEqual(ask(self.url, 'GET', f'/stream/stats?ticket={ticket}').status, 401, 'a ticket is no token')

    def test_pages_of_strangers(self):
        own = 'http://%s:%d' % streaming.address_of(self.url)
        for origin, status in ((own, 200), ('https://friend.example', 200), ('http://evil.example', 403),
                               ('https://friend.example.evil', 403), ('null', 403), (own + '1', 403)):
            reply = ask(self.url, 'GET', '/stream/health', Origin=origin)
            self.assertEqual(reply.status, status, origin)
            if status == 403:
                self.assertTrue('Origin' in reply.json['error'] and '`origins`' in reply.json['error'], reply.body)
            allowed = reply.headers.get('access-control-allow-origin')
            self.assertEqual(allowed, origin if origin == 'https://friend.example' else None)
            for path in ('/stream/detection', '/stream/cameras/porch'):
                try:
                    WebSocket(self.url, path, Origin=origin).socket.close()
                    got = 200
                except Refused as refused:
                    got = refused.reply.status
                self.assertEqual(got, status, (path, origin))

    def test_what_a_friends_page_may_ask(self):
        reply = ask(self.url, 'OPTIONS', '/stream/sessions', Origin='https://friend.example',
                    Access_Control_Request_Method='POST')
        self.assertEqual(reply.status, 204)
        self.assertIn('POST', reply.headers['access-control-allow-methods'])
        self.assertIn('Authorization', reply.headers['access-control-allow-headers'])
        self.assertEqual(ask(self.url, 'OPTIONS', '/stream/sessions', Origin='http://evil.example').status, 403)
        self.assertEqual(ask(self.url, 'OPTIONS', '/nothing/at/all', Origin='https://friend.example').status, 404)

    def test_figures_show_no_secret(self):
        mine = self.session()
        stats = ask(self.url, 'GET', '/stream/stats', token=TOKENS[0])
        self.assertNotIn(mine, stats.body.decode())
        self.assertIn(mine[:4], stats.body.decode())
        self.assertNotIn(mine, ask(self.url, 'GET', '/metrics', token=TOKENS[0]).body.decode())


class LoopbackTest(unittest.TestCase):
    """Without a token, on loopback: names of strangers that lead here are refused."""

    def test_names(self):
        with Running(PROGRAM, '--model', 'demo') as server:
            port = streaming.address_of(server.url)[1]
            for host, status in ((f'127.0.0.1:{port}', 200), (f'localhost:{port}', 200), ('evil.example', 403),
                                 (f'evil.example:{port}', 403), (f'127.0.0.1.evil.example:{port}', 403)):
                reply = ask(server.url, 'GET', '/stream/health', Host=host)
                self.assertEqual((reply.status, 'header Host' in reply.json.get('error', '')),
                                 (status, status == 403), host)
                self.assertEqual(ask(server.url, 'POST', '/stream/sessions', {}, Host=host).status,
                                 201 if status == 200 else status, host)
            self.assertEqual(ask(server.url, 'GET', '/stream/health', Host=None).status, 400)


if __name__ == '__main__':
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
