#!/usr/bin/python3
"""serve_client.py VEDETTE-CLI STREAMING_CLIENT: the client of docs/examples against a running server, without and with
a token; and that it fails where it should."""
import os
import subprocess
import sys
import tempfile

from serve_running import SLOW, Running, make_token, take_picture


def run(client, *arguments):
    done = subprocess.run([client, *arguments], capture_output=True, text=True, check=False, timeout=90 * SLOW)
    return done.returncode, done.stdout, done.stderr


def main():
    program, client = (os.path.abspath(name) for name in sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix='vedette-client-') as folder:
        clip, picture = os.path.join(folder, 'road.mp4'), os.path.join(folder, 'road.jpg')
        subprocess.run([program, 'demo', clip, '--frames', '5', '--seed', '4', '--size', '640x480'], check=True,
                       capture_output=True, timeout=60 * SLOW)
        take_picture(clip, 0, picture)
        tokens, token = make_token(folder)
        with Running(program, '--model', 'builtin:motion') as server:
            status, out, error = run(client, '--fps', '5', server.url, picture)
            print(out, error)
            assert status == 0 and out.count('ok ') >= 35, status
            assert run(client, server.url, picture, 'dance')[0] == 2
            assert run(client, server.url, picture + '.none')[0] == 2
        with Running(program, '--model', 'builtin:motion', '--token-file', tokens) as server:
            for known, wanted in ((token, 0), (token[:-1] + 'x', 1)):
                status, out, error = run(client, '--token', known, server.url, picture, 'websocket', 'sse')
                assert status == wanted, (status, out, error)
            assert run(client, server.url, picture, 'sse')[0] == 1
        assert run(client, server.url, picture, 'health')[0] == 1, 'nobody is there any more'


if __name__ == '__main__':
    main()
