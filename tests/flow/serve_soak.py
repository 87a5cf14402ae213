#!/usr/bin/python3
"""Sessions of the streaming interface, opened and dropped in every state: afterwards there are as many descriptors,
threads and sessions as before, and memory has not grown.

usage: serve_soak.py VEDETTE-CLI [--sessions N] [--no-memory] [--model M] [--seed N]
"""
import argparse
import base64
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import time

import raw_service as raw

WARM_UP = 0.4  # share of the rounds after which memory is looked at first
MOST_GROWTH = 1 << 20  # bytes from there to the end


class Ways:
    """Every way to begin a session and to leave it. A method is one; each leaves nothing open on this side."""

    def __init__(self, port, picture, rng):
        self.port, self.picture, self.rng = port, picture, rng
        self.text = json.dumps({'type': 'frame', 'image_data': base64.b64encode(picture).decode(), 'frame_id': 'a'})

    def session(self):
        return raw.ask_json(self.port, 'POST', '/stream/sessions', b'{}',
                            more='Content-Type: application/json\r\n')['client_id']

    def socket(self, path='/stream/detection', token=raw.TOKEN):
        return raw.WebSocket(self.port, path, token)

    def configured(self):
        socket = self.socket()
        socket.receive_json()
        return socket

    def begun(self, data):
        """A connection that has sent something and nothing more."""
        connection = raw.connect(self.port)
        connection.sendall(data)
        return connection

    def leave(self, connection):
        """Closed or cut, by chance."""
        if self.rng.random() < 0.5:
            raw.cut(connection)
        else:
            connection.close()

    # --- Sessions by REST

    def created_and_left(self):
        self.session()

    def created_and_deleted(self):
        client = self.session()
        status = raw.ask(self.port, 'DELETE', f'/stream/sessions/{client}')[0]
        assert status in (200, 204), status
        status = raw.ask(self.port, 'GET', f'/stream/sessions/{client}')[0]
        assert status == 404, status

    def posted_and_answered(self):
        client = self.session()
        events = self.begun(raw.head('GET', f'/stream/events/{client}'))
        status = raw.ask(self.port, 'POST', f'/stream/process/{client}', self.picture,
                         more='Content-Type: image/jpeg\r\n')[0]
        assert status == 202, status
        got = b''
        while b'detection_result' not in got:
            part = events.recv(65536)
            assert part, got
            got += part
        self.leave(events)

    def posted_and_left(self):
        client = self.session()
        raw.ask(self.port, 'POST', f'/stream/process/{client}', self.text.encode(),
                more='Content-Type: application/json\r\n')

    def posted_and_deleted(self):
        client = self.session()
        raw.ask(self.port, 'POST', f'/stream/process/{client}', self.picture, more='Content-Type: image/jpeg\r\n')
        raw.ask(self.port, 'DELETE', f'/stream/sessions/{client}')

    def half_posted(self):
        client = self.session()
        self.leave(self.begun(raw.head('POST', f'/stream/process/{client}', len(self.picture),
                                       'Content-Type: image/jpeg\r\n') + self.picture[:len(self.picture) // 2]))

    def half_created(self):
        self.leave(self.begun(raw.head('POST', '/stream/sessions', 1000) + b'{"fps_limit"'))

    def half_a_head(self):
        self.leave(self.begun(raw.head('GET', '/stream/detection', more=raw.UPGRADE)[:self.rng.randrange(1, 150)]))

    def left_within_a_second_request(self):
        connection = self.begun(raw.head('GET', '/stream/health'))
        assert raw.read_answer(connection)[0] == 200
        connection.sendall(self.picture[:self.rng.randrange(1, 60)])
        time.sleep(self.rng.choice((0, 0, 0.02)))
        self.leave(connection)

    def lengths_that_are_none(self):
        head = raw.head('GET', '/' + 'a' * 6000, self.rng.choice(('x', '-1', '5\r\nTransfer-Encoding: gzip')))
        connection = self.begun(head)
        assert raw.read_answer(connection)[0] in (400, 501)
        self.leave(connection)

    # --- Server-sent events

    def events_opened(self):
        client = self.session()
        events = self.begun(raw.head('GET', f'/stream/events/{client}'))
        status, headers = self.read_head(events)
        assert status == 200 and 'text/event-stream' in headers, headers
        self.leave(events)

    def events_not_read(self):
        client = self.session()
        self.leave(self.begun(raw.head('GET', f'/stream/events/{client}')))

    def events_of_a_deleted_one(self):
        client = self.session()
        events = self.begun(raw.head('GET', f'/stream/events/{client}'))
        self.read_head(events)
        raw.ask(self.port, 'DELETE', f'/stream/sessions/{client}')
        while events.recv(65536):
            pass  # the service ends the stream
        events.close()

    @staticmethod
    def read_head(connection):
        data = b''
        while b'\r\n\r\n' not in data:
            part = connection.recv(65536)
            assert part, data
            data += part
        return int(data.split()[1]), data.decode('latin-1').lower()

    # --- WebSockets

    def socket_before_the_answer(self):
        self.leave(self.begun(raw.head('GET', '/stream/detection', more=raw.UPGRADE)))

    def socket_before_auth(self):
        try:
            socket = self.socket(token=None)
        except ConnectionError:
            return  # refused at once, which is fine as well
        self.leave(socket.connection)

    def socket_with_a_wrong_token(self):
        try:
            socket = self.socket(token=None)
            socket.send({'type': 'auth', 'token': 'not-the-one-that-is-wanted'})
            self.leave(socket.connection)
        except ConnectionError:
            pass

    def socket_after_auth(self):
        try:
            socket = self.socket(token=None)
        except ConnectionError:
            return
        socket.send({'type': 'auth', 'token': raw.TOKEN})
        assert socket.receive_json()['type'] == 'config'
        self.leave(socket.connection)

    def socket_by_ticket(self):
        ticket = raw.ask_json(self.port, 'POST', '/stream/ticket', b'')['ticket']
        if self.rng.random() < 0.5:
            socket = self.socket(f'/stream/detection?ticket={ticket}', token=None)
            socket.receive_json()
            self.leave(socket.connection)

    def socket_after_config(self):
        self.leave(self.configured().connection)

    def socket_said_goodbye(self):
        self.configured().close()

    def frame_under_way(self):
        socket = self.configured()
        socket.send(self.picture)
        self.leave(socket.connection)

    def frame_answered(self):
        socket = self.configured()
        socket.send(self.picture if self.rng.random() < 0.5 else self.text)
        assert socket.receive_json()['type'] == 'detection_result'
        socket.close()

    def answers_unread(self):
        socket = self.configured()
        for _ in range(3):
            socket.send(self.picture)
        time.sleep(0.03)
        self.leave(socket.connection)

    def broken_picture(self):
        socket = self.configured()
        socket.send(self.picture[:50])
        assert socket.receive_json()['type'] == 'error'
        self.leave(socket.connection)

    def half_a_frame(self):
        socket = self.configured()
        message = raw.ws_frame(self.picture)
        socket.raw(message[:self.rng.randrange(1, len(message))])
        self.leave(socket.connection)

    def half_a_message(self):
        socket = self.configured()
        socket.raw(raw.ws_frame(self.picture[:100], last=False))
        self.leave(socket.connection)

    def resumed(self):
        client = self.session()
        first = self.socket(f'/stream/detection?client_id={client}')
        first.receive_json()
        first.send(self.picture)
        self.leave(first.connection)
        second = self.socket(f'/stream/detection?client_id={client}')
        assert second.receive_json()['client_id'] == client
        self.leave(second.connection)

    def replaced(self):
        client = self.session()
        first = self.socket(f'/stream/detection?client_id={client}')
        second = self.socket(f'/stream/detection?client_id={client}')
        second.receive_json()
        self.leave(second.connection)
        self.leave(first.connection)

    def deleted_under_a_socket(self):
        client = self.session()
        socket = self.socket(f'/stream/detection?client_id={client}')
        socket.receive_json()
        socket.send(self.picture)
        raw.ask(self.port, 'DELETE', f'/stream/sessions/{client}')
        self.leave(socket.connection)


def all_ways(ways):
    base = {'session', 'socket', 'configured', 'begun', 'leave', 'read_head'}
    return [getattr(ways, name) for name in vars(Ways) if not name.startswith('_') and name not in base]


def make_picture(folder):
    path = os.path.join(folder, 'picture.jpg')
    subprocess.run(['ffmpeg', '-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc=size=160x120', '-frames:v', '1', path],
                   check=True)
    with open(path, 'rb') as stream:
        return stream.read()


def settle(service, wanted=None):
    """Waits until no session is left and descriptors are as they were; the figures."""
    deadline = time.monotonic() + 15 * raw.SLOW
    while True:
        sessions = raw.ask_json(service.port, 'GET', '/stream/stats')['sessions']
        sessions = sessions if isinstance(sessions, int) else len(sessions)
        figures = service.figures()
        if sessions == 0 and (wanted is None or figures[1:] == wanted[1:]):
            return figures
        if time.monotonic() > deadline:
            raise AssertionError(f'{sessions} sessions, {figures[1]} descriptors and {figures[2]} threads are left'
                                 + (f'; there were {wanted[1]} and {wanted[2]}' if wanted else ''))
        time.sleep(0.1)


def soak(service, picture, options):
    rng = random.Random(options.seed)
    ways = all_ways(Ways(service.port, picture, rng))
    count, failures = collections.Counter(), []

    def go(rounds):
        for i in range(rounds):
            way = ways[i % len(ways)] if i < len(ways) else rng.choice(ways)
            count[way.__name__] += 1
            try:
                way()
            except (AssertionError, OSError, RuntimeError, ValueError, KeyError) as problem:
                failures.append(f'{way.__name__}: {type(problem).__name__} {problem}')
                if not service.alive() or len(failures) > 20:
                    return

    began = time.monotonic()
    go(len(ways))  # each once, so that everything that is made once has been
    first = settle(service)
    go(int(options.sessions * WARM_UP))
    warm = settle(service, first)
    go(options.sessions - int(options.sessions * WARM_UP))
    last = settle(service, first)
    growth = last[0] - warm[0]
    if not options.no_memory and growth > MOST_GROWTH:  # a leak grows again, a peak that the heap keeps does not
        warm = last
        go(options.sessions - int(options.sessions * WARM_UP))
        last = settle(service, first)
        print(f'memory had grown by {growth / 1e6:.2f} MB; the same number of sessions again')
        growth = last[0] - warm[0]
    print(f'{sum(count.values())} sessions in {len(ways)} ways in {time.monotonic() - began:.1f} s: descriptors '
          f'{first[1]} to {last[1]}, threads {first[2]} to {last[2]}, own memory {first[0] / 1e6:.1f} MB at first, '
          f'{warm[0] / 1e6:.2f} MB after {int(options.sessions * WARM_UP)}, {last[0] / 1e6:.2f} MB at the end '
          f'({growth / 1e6:+.2f} MB)')
    if not options.no_memory and growth > MOST_GROWTH:
        failures.append(f'memory has grown by {growth / 1e6:.2f} MB')
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('cli')
    parser.add_argument('--sessions', type=int, default=500)
    parser.add_argument('--no-memory', action='store_true', help='what a sanitizer keeps is no growth')
    parser.add_argument('--model', default='demo')
    parser.add_argument('--seed', type=int, default=18)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='vedette-soak-') as folder:
        picture = make_picture(folder)
        service = raw.Service(os.path.abspath(options.cli), folder, options.model)
        try:
            failures = soak(service, picture, options)
        except (AssertionError, OSError, RuntimeError) as problem:
            failures = [f'{type(problem).__name__}: {problem}']
        if not service.alive():
            failures.append(f'The service ended by itself, status {service.process.returncode}.')
        status = service.stop()
        if status not in (0, 130):
            failures.append(f'The service ended with status {status}.')
        if service.finding():
            failures.append(service.finding())
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
