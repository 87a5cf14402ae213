#!/usr/bin/python3
"""Sends a running streaming service requests and WebSocket messages made wrong by chance, from several connections at
once. All along it must answer a well-behaved peer's health request within a second and another one's frames; at the
end it must stop as it should, with nothing said by a sanitizer (the program is best built with one).

usage: serve_requests.py VEDETTE-CLI [--seconds N] [--seed N] [--model M] [--found FOLDER]
       serve_requests.py VEDETTE-CLI --replay FILE      sends again what a finding was preceded by
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
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../flow'))
import raw_service as raw  # noqa: E402 (the path comes first)

SENDERS, KEPT = 3, 60
HEALTH_WITHIN_S, ANSWER_WITHIN_S = 1.0 * raw.SLOW, 10.0 * raw.SLOW
JSON_TYPE, JPEG_TYPE = ('Content-Type', 'application/json'), ('Content-Type', 'image/jpeg')
ODD_NUMBERS = [0, -1, 1, 30, 31, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63,
               2**64, 10**40, 0.5, -0.0, 1e308, 1e-308]
ODD_TEXTS = ['', ' ', '\0', 'a' * 200, 'a' * 70000, '\u00e9', '\U0001f600', '../../etc/passwd', '%00', '%2e%2e%2f', '\r\nX: y',
             'null', '{}', 'NaN', '1e999', '-', '--1', '0x10', '=', '&', '?', '#', '/', '//', '\\', '"', "'", '\ud800']
ODD_BYTES = [b'\0', b'\xff', b'\xc0\x80', b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'\r\n', b'\r\n\r\n', b'{', b'[', b'"', b'\\',
             b'\\u0000', b'\\ud800', b'[' * 500, b'{"a":' * 300, b'9' * 400, b'%', b'=', b'\x89PNG\r\n\x1a\n', b'RIFF',
             b'\xff\xd8\xff', b'\x00\x00\xff\xff', b'\xff\xff\xff\xff', b'\x7f\xff\xff\xff']


def pictures(folder):
    """Small pictures of the three kinds; a kind that ffmpeg cannot write is left out."""
    made = []
    for ending in ('jpg', 'png', 'webp'):
        path = os.path.join(folder, 'seed.' + ending)
        done = subprocess.run(['ffmpeg', '-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc=size=48x32', '-frames:v', '1',
                               path], check=False, capture_output=True)
        if done.returncode == 0:
            with open(path, 'rb') as stream:
                made.append(stream.read())
    return made


class Seeds:
    """Requests and conversations as they should be. `@ID@`, `@TICKET@` and `@TOKEN@` stand for what is valid then."""

    def __init__(self, made):
        self.pictures = made
        frame = {'type': 'frame', 'image_data': base64.b64encode(made[0]).decode(), 'frame_id': 7, 'timestamp': 1.5}
        config = {'fps_limit': 15, 'confidence_threshold': 0.3, 'iou_threshold': 0.4, 'enable_tracking': True,
                  'quality_mode': 'fast', 'max_detections': 20}
        self.messages = [frame, {**frame, 'image_data': 'data:image/jpeg;base64,' + frame['image_data']},
                         {'type': 'next', 'frame_id': 'b'}, {'type': 'config', 'config': config},
                         {'type': 'config', 'quality_mode': 'accurate'}, {'type': 'ping', 'timestamp': 12.25},
                         {'type': 'auth', 'token': '@TOKEN@'}]
        query = 'fps_limit=15&confidence_threshold=0.3&iou_threshold=0.5&enable_tracking=false&quality_mode=balanced'
        self.requests = [('POST', '/stream/sessions', [JSON_TYPE], json.dumps(config).encode()),
                         ('POST', '/stream/sessions', [], b''),
                         ('PATCH', '/stream/sessions/@ID@/config', [JSON_TYPE], json.dumps(config).encode()),
                         ('POST', '/stream/process/@ID@', [JSON_TYPE], json.dumps(frame).encode()),
                         ('POST', '/stream/ticket', [], b''),
                         ('DELETE', '/stream/sessions/@ID@', [], None),
                         ('OPTIONS', '/stream/sessions', [('Origin', 'http://127.0.0.1'),
                                                          ('Access-Control-Request-Method', 'POST')], None)]
        kinds = {b'\xff\xd8': 'jpeg', b'\x89P': 'png', b'RI': 'webp'}
        self.requests += [('POST', '/stream/process/@ID@?frame_id=4&timestamp=1.5',
                           [('Content-Type', 'image/' + kinds[picture[:2]])], picture) for picture in made]
        self.requests += [('GET', path, [], None) for path in
                          ('/', '/openapi.json', '/metrics', '/stream/health', '/stream/stats', '/stream/cameras',
                           '/stream/cameras/gate/events', '/stream/sessions/@ID@', '/stream/sessions/@ID@/stats',
                           '/stream/sessions/@ID@/config', '/stream/events/@ID@', '/stream/detection?' + query)]
        self.sockets = ['/stream/detection', '/stream/detection?' + query, '/stream/detection?client_id=@ID@',
                        '/stream/detection?ticket=@TICKET@', '/stream/cameras/gate']


class Wrong:
    """Makes things wrong, a little, by chance."""

    def __init__(self, seeds, rng):
        self.seeds, self.rng = seeds, rng

    def data(self, data, times=None):
        data, rng = bytearray(data), self.rng
        for _ in range(times or rng.choice((1, 1, 2, 4, 16))):
            at = rng.randrange(len(data) + 1)
            how = rng.randrange(7)
            if how == 0 and at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            elif how == 1 and at < len(data):
                data[at] = rng.randrange(256)
            elif how == 2:
                data[at:at] = rng.choice(ODD_BYTES)
            elif how == 3:
                del data[at:at + rng.choice((1, 2, 8, 100))]
            elif how == 4:
                data[at:at] = data[at:at + rng.choice((1, 4, 30))] * rng.choice((1, 2, 20))
            elif how == 5 and rng.random() < 0.3:
                del data[at:]
            elif at + 4 <= len(data):
                data[at:at + 4] = rng.choice(ODD_NUMBERS[:13]).__index__().to_bytes(9, 'big', signed=True)[-4:]
        return bytes(data)

    def value(self, depth=0):
        rng = self.rng
        how = rng.randrange(9)
        if how < 3:
            return rng.choice(ODD_NUMBERS)
        if how < 6:
            return rng.choice(ODD_TEXTS)
        if how < 7 and depth < 12:
            return [self.value(depth + 1) for _ in range(rng.choice((0, 1, 3)))]
        if how < 8 and depth < 12:
            return {rng.choice(ODD_TEXTS): self.value(depth + 1) for _ in range(rng.choice((0, 1, 3)))}
        return rng.choice((None, True, False, float('nan'), float('inf')))

    def object(self, thing):
        """JSON, with members changed, added, taken away or moved in."""
        thing, rng = json.loads(json.dumps(thing)), self.rng
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            inner = [thing] + [value for value in thing.values() if isinstance(value, dict)]
            target = rng.choice(inner)
            key = rng.choice(list(target) or ['type'])
            how = rng.randrange(5)
            if how == 0:
                target.pop(key, None)
            elif how == 1:
                target[rng.choice(ODD_TEXTS)] = self.value()
            elif how == 2:
                target[key] = {key: target.get(key)}
            else:
                target[key] = self.value()
        text = json.dumps(thing, ensure_ascii=rng.random() < 0.7).encode('utf-8', 'surrogatepass')
        return self.data(text) if rng.random() < 0.25 else text

    def target(self, path):
        rng = self.rng
        how = rng.randrange(8)
        if how == 0:
            return self.data(path.encode(), 1).decode('latin-1')
        if how == 1:
            return path + rng.choice(('?', '&', '/', '//', '#')) + rng.choice(ODD_TEXTS)
        if how == 2:
            return path + rng.choice('?&') + '&'.join(
                f'{rng.choice(("fps_limit", "quality_mode", "client_id", "frame_id", "x", "ticket"))}='
                f'{rng.choice([str(number) for number in ODD_NUMBERS] + ODD_TEXTS)}' for _ in range(rng.choice((1, 3, 40))))
        if how == 3:
            return path.replace('@ID@', rng.choice(('0' * 32, '@ID@@ID@', 'g' * 32, '%40', '', '..', '@ID@%00')))
        return path

    def request(self):
        rng = self.rng
        method, path, headers, body = rng.choice(self.seeds.requests)
        headers = list(headers)
        if rng.random() < 0.1:
            method = rng.choice(('GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT', 'get', 'A' * 300))
        if body and rng.random() < 0.7:
            body = self.object(json.loads(body)) if body[:1] == b'{' and rng.random() < 0.7 else self.data(body)
        if rng.random() < 0.3:
            headers.append(rng.choice([('Content-Type', 'image/jpeg'), ('Origin', rng.choice(ODD_TEXTS)), ('Host', 'evil.example'),
                                       ('Expect', '100-continue'), ('Transfer-Encoding', 'chunked'), ('Content-Length', '7'),
                                       ('Content-Length', rng.choice(('-1', '99999999999999999999', '0x10', ''))),
                                       ('Transfer-Encoding ', 'chunked'), ('Content-Length ', '0'), ('Origin', 'http://127.0.0.1'),
                                       ('X', 'y\r\n Content-Length: 1'), ('X', 'y\nContent-Length: 1'), ('Con\0nection', 'close'),
                                       ('Connection', 'content-length'), ('Expect', 'x'), ('Content-Length', '+5'),
                                       ('Content-Encoding', 'gzip'), ('Connection', 'Upgrade'), ('Upgrade', 'websocket'),
                                       ('Last-Event-ID', 'x' * 5000), ('Range', 'bytes=0-'), ('X' * 20, 'y' * 9000),
                                       ('Authorization', rng.choice(('Bearer', 'Basic YTpi', 'Bearer ' + 'a' * 4000)))]))
        if rng.random() < 0.9:
            headers.insert(0, ('Authorization', 'Bearer @TOKEN@'))
        length = [] if body is None else [('Content-Length', str(len(body) + rng.choice((0,) * 14 + (-1, 1, 1000))))]
        lines = [f'{method} {self.target(path)} HTTP/1.{rng.choice("1111111029")}', 'Host: 127.0.0.1']
        text = '\r\n'.join(lines + [f'{name}: {value}' for name, value in headers + length]) + '\r\n\r\n'
        data = text.encode('utf-8', 'surrogatepass')
        if body and rng.random() < 0.2:
            data, body = data.replace(b'Content-Length:', b'Transfer-Encoding: chunked\r\nX:'), self.chunks(body)
        return (self.data(data) if rng.random() < 0.15 else data) + (body or b'')

    def chunks(self, body):
        """In chunks, with what may or may not stand around them."""
        rng, cut = self.rng, self.rng.randrange(len(body) + 1)
        parts = [f'{len(part):{rng.choice(("x", "X", "08x"))}}{rng.choice(("", "", ";a=b", " ", ";"))}'.encode() + b'\r\n' + part
                 for part in (body[:cut], body[cut:]) if part]
        data = b'\r\n'.join(parts + [b'0\r\n' + rng.choice((b'', b'', b'', b'X: y\r\n')) + b'\r\n'])
        return self.data(data, 1) if rng.random() < 0.3 else data

    def http(self):
        return [b''.join(self.request() for _ in range(self.rng.choice((1, 1, 1, 2, 5))))]

    def payload(self):
        """(opcode, bytes) of a message."""
        rng = self.rng
        if rng.random() < 0.35:
            picture = rng.choice(self.seeds.pictures)
            return 2, self.data(picture) if rng.random() < 0.8 else picture
        return 1, self.object(rng.choice(self.seeds.messages))

    def frames(self):
        """A message as it goes over the wire."""
        rng = self.rng
        opcode, data = self.payload()
        if rng.random() < 0.1:
            opcode = rng.choice((0, 1, 2, 3, 7, 8, 9, 10, 11, 15))
            data = data[:rng.choice((0, 1, 2, 125, 126, 10**9))]
        if rng.random() < 0.2:  # in pieces
            cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice((1, 2, 5))))
            parts = [data[a:b] for a, b in zip([0] + cuts, cuts + [len(data)])]
            pieces = [raw.ws_frame(part, opcode if i == 0 else 0, i == len(parts) - 1) for i, part in enumerate(parts)]
            if rng.random() < 0.2:
                pieces.insert(rng.randrange(len(pieces)), raw.ws_frame(b'p', 9))
            wire = b''.join(pieces)
        else:
            lie = rng.choice((None,) * 12 + (0, 1, 126, 65535, 65536, 2**31, 2**40, 2**63, 2**64 - 1))
            wire = raw.ws_frame(data, opcode, rng.random() < 0.95, length=lie)
        if rng.random() < 0.1:  # bits of its head: reserved ones, the mask, the length
            wire = bytearray(wire)
            wire[rng.randrange(2)] ^= 1 << rng.randrange(8)
        return bytes(wire)

    def socket(self):
        rng = self.rng
        path = rng.choice(self.seeds.sockets)
        if rng.random() < 0.3:
            path = self.target(path)
        token = '' if rng.random() < 0.15 else 'Authorization: Bearer @TOKEN@\r\n'
        head = f'GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{token}{raw.UPGRADE}\r\n'.encode('utf-8', 'surrogatepass')
        if rng.random() < 0.1:
            head = self.data(head)
        return [head] + [self.frames() for _ in range(rng.choice((0, 1, 2, 4, 12)))]

    def input(self):
        return self.socket() if self.rng.random() < 0.5 else self.http()


class Run:
    """What the threads share."""

    def __init__(self, service):
        self.service, self.over = service, threading.Event()
        self.lock = threading.Lock()
        self.problems, self.statuses, self.inputs = [], collections.Counter(), 0
        self.kept = collections.deque(maxlen=KEPT)  # the last inputs of all senders
        self.health_worst_s, self.healths, self.answers = 0.0, 0, 0

    def problem(self, what):
        with self.lock:
            if not self.over.is_set():
                self.problems.append(what)
        self.over.set()

    def note(self, pieces):
        with self.lock:
            self.inputs += 1
            self.kept.append(pieces)


def watch_health(run):
    while not run.over.is_set():
        began = time.monotonic()
        try:
            status = raw.ask(run.service.port, 'GET', '/stream/health', token=None, source='127.0.0.2',
                             timeout=HEALTH_WITHIN_S * 5)[0]
        except OSError as problem:
            run.problem(f'no answer to a health request: {problem}')
            return
        took = time.monotonic() - began
        run.healths += 1
        run.health_worst_s = max(run.health_worst_s, took)
        if status != 200 or took > HEALTH_WITHIN_S:
            run.problem(f'a health request: status {status} after {took:.2f} s')
        run.over.wait(0.2)


def watch_frames(run, picture):
    """A session that behaves: every frame of it must be answered."""
    try:
        socket = raw.WebSocket(run.service.port, source='127.0.0.3')
        socket.connection.settimeout(ANSWER_WITHIN_S)
        socket.receive_json()
        while not run.over.wait(0.5):
            socket.send(picture)
            answer = socket.receive_json()
            if answer['type'] not in ('detection_result', 'skipped'):
                run.problem(f'a frame that is fine was answered {answer}')
            run.answers += 1
        socket.close()
    except (OSError, ValueError, KeyError) as problem:
        run.problem(f'a session that behaves: {type(problem).__name__} {problem}')


class Sender:
    """Sends from several addresses: the service bounds the connections of one, and keeps those that it refused for a
    moment."""

    def __init__(self, run, wrong, rng, number=0):
        self.run, self.wrong, self.rng, self.number = run, wrong, rng, number
        self.valid, self.sent = {b'@ID@': b'none', b'@TICKET@': b'none', b'@TOKEN@': raw.TOKEN.encode()}, 0

    def renew(self):
        """A session and a ticket that the next inputs are about."""
        try:
            port, source = self.run.service.port, self.source()
            session = raw.ask_json(port, 'POST', '/stream/sessions', b'', source=source)
            self.valid[b'@ID@'] = session['client_id'].encode()
            self.valid[b'@TICKET@'] = raw.ask_json(port, 'POST', '/stream/ticket', b'', source=source)['ticket'].encode()
        except RuntimeError as refused:  # too many sessions for the moment
            self.run.statuses[str(refused).split()[2]] += 1
            self.run.over.wait(0.3)
        except (OSError, ValueError, KeyError) as problem:
            if not self.run.over.is_set():
                self.run.problem(f'no session is given: {type(problem).__name__} {problem}')

    def source(self):
        return f'127.0.{self.number + 1}.{self.rng.randrange(1, 9)}'

    def fill(self, piece):
        for name, value in self.valid.items():
            piece = piece.replace(name, value)
        return piece

    def listen(self, connection, seconds):
        """What comes within a moment; how an answer begins is counted."""
        connection.settimeout(seconds)
        try:
            data = connection.recv(65536)
        except OSError:
            return False
        if data[:7] == b'HTTP/1.':
            status = data[9:12].decode('latin-1')
            self.run.statuses[status] += 1
            if status == '500':
                self.run.problem(f'an inner error: {data[:500]!r}')
            head = data.partition(b'\r\n\r\n')[0]
            if status >= '400' and b'\r\nContent-Type: application/json' not in head:
                self.run.problem(f'a refusal without a word: {data[:500]!r}')
        return bool(data)

    def send(self, pieces):
        try:
            connection = raw.connect(self.run.service.port, self.source())
        except OSError as problem:
            self.run.problem(f'no connection: {problem}')
            return
        try:
            connection.settimeout(2)
            for i, piece in enumerate(pieces):
                connection.sendall(self.fill(piece))
                if i == 0 and len(pieces) > 1 and self.rng.random() < 0.7 and not self.listen(connection, 1):
                    return
            if self.rng.random() < 0.8:
                self.listen(connection, 0.1)
        except OSError:
            pass  # cut off by the service, as it may
        finally:
            if self.rng.random() < 0.3:
                raw.cut(connection)
            else:
                connection.close()

    def work(self):
        while not self.run.over.is_set():
            if self.sent % 25 == 0:
                self.renew()
            pieces = self.wrong.input()
            self.run.note(pieces)
            self.send(pieces)
            self.sent += 1
            if not self.run.service.alive():
                self.run.problem('the service is gone')


def look(run, seconds):
    """Until the time is over or something is found."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not run.over.wait(1):
        if run.service.finding():
            run.problem('a sanitizer found something')
        if 'was not read by libsoup' in run.service.said():
            run.problem('a request ends elsewhere for libsoup')
    run.over.set()


def start_threads(run, options, seeds, replayed):
    threads = [threading.Thread(target=watch_health, args=(run,), daemon=True),
               threading.Thread(target=watch_frames, args=(run, seeds.pictures[0]), daemon=True)]
    if replayed is None:
        for i in range(SENDERS):
            rng = random.Random(f'{options.seed} {i}')
            threads.append(threading.Thread(target=Sender(run, Wrong(seeds, rng), rng, i).work, daemon=True))
    for thread in threads:
        thread.start()
    return threads


def replay(run, options, pieces):
    sender = Sender(run, None, random.Random(options.seed))
    sender.renew()
    for input_ in pieces:
        run.note(input_)
        sender.send(input_)
    run.over.wait(1)
    run.over.set()


def last_figures(run, first):
    try:
        return run.service.figures()
    except (OSError, KeyError):  # it is gone, or just going
        return first


def finish(run):
    """Stops the service; what that told."""
    service = run.service
    if service.alive():
        time.sleep(2)  # sessions time out
        status = service.stop()
        if status not in (0, 130):
            run.problems.append(f'status {status} at the end')
    else:
        run.problems.append(f'the service ended by itself, status {service.process.returncode}')
    if service.finding():
        run.problems.append(service.finding())


def keep(run, folder):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f'serve-{int(time.time())}.json')
    with open(path, 'w', encoding='ascii') as stream:
        json.dump([[base64.b64encode(piece).decode() for piece in pieces] for pieces in run.kept], stream)
    with open(path[:-5] + '.txt', 'w', encoding='utf-8') as stream:
        stream.write('\n'.join(run.problems) + '\n\n' + run.service.said()[-20000:])
    return path


def read_replayed(path):
    if not path:
        return None
    with open(path, encoding='ascii') as stream:
        return [[base64.b64decode(piece) for piece in pieces] for pieces in json.load(stream)]


def prepare_sanitizers():
    """Reports end the service with 99. What libsoup leaks is told by names that only the slow way up the stack finds."""
    here = os.path.dirname(os.path.abspath(__file__))
    for name, values in (('ASAN_OPTIONS', 'exitcode=99:fast_unwind_on_malloc=0'),
                         ('UBSAN_OPTIONS', 'exitcode=99:print_stacktrace=1:halt_on_error=1'),
                         ('LSAN_OPTIONS', f'exitcode=99:print_suppressions=0:suppressions={here}/lsan.supp')):
        os.environ[name] = f'{os.environ.get(name, "")}:{values}'.strip(':')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cli')
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=None, help='the same for the same inputs; else another every time')
    parser.add_argument('--model', default='builtin:motion')
    parser.add_argument('--found', default='found')
    parser.add_argument('--replay')
    options = parser.parse_args()
    prepare_sanitizers()
    options.seed = options.seed if options.seed is not None else random.randrange(10**9)
    replayed = read_replayed(options.replay)
    with tempfile.TemporaryDirectory(prefix='vedette-fuzz-') as folder:
        seeds = Seeds(pictures(folder))
        run = Run(raw.Service(os.path.abspath(options.cli), folder, options.model, timeout_s=2, more='max_image_megapixels = 2;'))
        first = run.service.figures()
        threads = start_threads(run, options, seeds, replayed)
        if replayed is None:
            look(run, options.seconds)
        else:
            replay(run, options, replayed)
        last = last_figures(run, first)
        for thread in threads:
            thread.join(15)
        finish(run)
        statuses = ', '.join(f'{status}: {count}' for status, count in sorted(run.statuses.items()))
        print(f'seed {options.seed}: {run.inputs} inputs; answers {statuses}; {run.healths} health requests, the slowest '
              f'{run.health_worst_s * 1e3:.0f} ms; {run.answers} frames of another session; resident {first[0] / 1e6:.0f} to '
              f'{last[0] / 1e6:.0f} MB, descriptors {first[1]} to {last[1]}, threads {first[2]} to {last[2]}')
        if run.problems:
            print('\n'.join(run.problems))
            print(f'What came before is kept in {keep(run, options.found)}.')
    return 1 if run.problems else 0


if __name__ == '__main__':
    sys.exit(main())
