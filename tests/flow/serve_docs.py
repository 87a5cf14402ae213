#!/usr/bin/python3
"""serve_docs.py VEDETTE-CLI [STREAMING_CLIENT]: runs the commands of docs/streaming.md as they stand, in their order,
against the servers that it starts.

They name port 8765, so they run in a network of their own where this may be had, else where the port is free."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from serve_running import ROOT, SLOW, Running

SKIPPED = 77
PORT = 8765
MARK = '--- end of a command'
# What the output of a command must hold; the commands are looked up by a part of theirs.
WANTED = [
    ('/stream/health', r'^\{.*\}'),
    ('cat session.json', r'"client_id": *"[0-9a-f]{32}"'),
    ('?frame_id=1', r'"frame_id": *1\b'),
    ('-d @frame.json', r'"frame_id": *"two"'),
    ('cat events.txt', r'(?s)data: *\{"type":"detection_result","data":\{"frame_id":1,.*"detections":\[\{"bbox".*'
                       r'"detection_result","data":\{"frame_id":"two"'),
    ('"confidence_threshold":0.5', r'"confidence_threshold": *0\.5\b'),
    ('"fps_limit":99', r'"field": *"fps_limit".*"value": *99.*"range"'),
    ('/$ID/stats', r'"results": *2\b'),
    ('road.jpg websocket', r'ok .*twenty pictures'),
    ('road.jpg bench', r'from send to result'),
    ('/stream/cameras', r'"cameras": *\[\]'),
    ('/stream/stats', r'^\{'),
    ('/metrics', r'(?m)^# TYPE vedette_'),
    ('/stream/ticket', r'"ticket": *"[0-9a-f]{64}"'),
    ('road.jpg sse', r'ok .*its result is an event'),
]


def commands():
    """Blocks of commands in their order."""
    with open(os.path.join(ROOT, 'docs/streaming.md'), encoding='utf-8') as file:
        blocks = re.findall(r'^```sh\n(.*?)^```$', file.read(), re.S | re.M)
    return [block.strip().split('\n') for block in blocks]


class Shell:
    """A bash in which one command runs after the other, as in a terminal."""

    def __init__(self, folder, path):
        environment = {**os.environ, 'PATH': f'{path}:{os.environ["PATH"]}', 'HOME': folder, 'XDG_CONFIG_HOME': folder}
        for name in ('http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'):
            environment.pop(name, None)
        self.bash = subprocess.Popen(['bash'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, cwd=folder, env=environment)

    def run(self, command):
        self.bash.stdin.write(f'{{ {command}\n}} </dev/null\nprintf "\\n{MARK} %s\\n" $?\n')
        self.bash.stdin.flush()
        out = []
        for line in self.bash.stdout:
            if line.startswith(MARK):
                return int(line.split()[-1]), ''.join(out).strip()
            out.append(line)
        raise AssertionError(f'the shell ended at {command}')

    def end(self):
        self.bash.stdin.close()
        self.bash.wait(20 * SLOW)


def check(command, status, out):
    print(f'$ {command}\n{out[:300]}')
    assert status == 0, f'{command}: status {status}'
    for part, wanted in WANTED:
        if part in command and 'openapi' not in command:
            assert re.search(wanted, out), f'{command}: there is no {wanted} in {out}'
            return part
    assert 'error' not in out.lower(), f'{command}: {out}'
    return None


def run_all(folder, path):
    """The commands; one that starts a server is left running until the next one does."""
    shell, server, met, count = Shell(folder, path), None, set(), 0
    try:
        for block in commands():
            for command in block:
                count += 1
                if not command.startswith('vedette-cli serve'):
                    met.add(check(command, *shell.run(command)))
                    continue
                if server:
                    server.__exit__()
                words = command.split()
                print(f'$ {command}')
                server = Running(None, command=[shutil.which('vedette-cli', path=path), *words[1:]], home=folder)
                assert f':{PORT}/' in server.url, server.url
    finally:
        shell.end()
        if server:
            server.stop()
    missing = {part for part, _ in WANTED} - met
    assert not missing, f'docs/streaming.md has no such commands any more: {missing}'
    assert server.process.returncode in (0, 130), server.messages
    print(f'{count} commands')


def own_network():
    """Starts this test again where nobody else has a port; back only where that may not be done."""
    if os.environ.get('VEDETTE_OWN_NETWORK') or not shutil.which('unshare') or not shutil.which('ip'):
        return
    if subprocess.run(['unshare', '-n', 'ip', 'link', 'set', 'lo', 'up'], capture_output=True, check=False).returncode:
        return
    os.environ['VEDETTE_OWN_NETWORK'] = '1'
    os.execvp('unshare', ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', sys.executable,
                          os.path.abspath(__file__), *map(os.path.abspath, sys.argv[1:])])


def main():
    own_network()
    if not os.environ.get('VEDETTE_OWN_NETWORK'):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', PORT))
            except OSError:
                print(f'serve_docs waits for port {PORT}, which another program has')
                sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix='vedette-docs-') as folder:
        programs = os.path.join(folder, 'programs')
        os.mkdir(programs)
        for program in sys.argv[1:3]:
            os.symlink(os.path.abspath(program), os.path.join(programs, os.path.basename(program)))
        run_all(folder, programs)


if __name__ == '__main__':
    main()
