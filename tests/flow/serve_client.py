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


def check_certificate(program, client, folder, picture):
    """One that the server signed itself is refused, unless it is named."""
    certificate, key = os.path.join(folder, 'certificate.pem'), os.path.join(folder, 'key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-days', '2', '-subj', '/CN=vedette-test', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key,
                    '-out', certificate], check=True, capture_output=True, timeout=30 * SLOW)
    with Running(program, '--model', 'builtin:motion', '--tls-cert', certificate, '--tls-key', key) as server:
        status, out, error = run(client, server.url, picture, 'websocket')
        assert status == 1 and not out and '--ca' in error, (status, out, error)
        status, out, error = run(client, '--ca', certificate, server.url, picture, 'health', 'websocket')
        assert status == 0, (status, out, error)
        assert run(client, '--ca', picture, server.url, picture)[0] == 2


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
            status, out, error = run(client, '--token-file', tokens, server.url, picture, 'websocket', 'errors')
            assert status == 0, (status, out, error)
            status, out, error = run(client, server.url, picture)
            assert status == 1 and not out, (status, out)
            assert '401' in error and '--token-file' in error and 'CRITICAL' not in error, error
            assert run(client, '--token-file', tokens + '.none', server.url, picture)[0] == 2
        check_certificate(program, client, folder, picture)
        assert run(client, server.url, picture, 'health')[0] == 1, 'nobody is there any more'


if __name__ == '__main__':
    main()
