#!/usr/bin/python3
"""A server that misbehaves, for tests: silent_server.py MODE [BYTES]

silent   accepts and says nothing
garbage  accepts and sends BYTES random bytes (default 100000), then closes
closes   accepts and closes
stalls   speaks HTTP, sends BYTES of a motion JPEG stream (default 20000), then nothing more
401, 404, 500  answers every request, HTTP or RTSP, with that status

Prints the port on one line once it listens. Ends when its standard input does."""
import random
import socket
import struct
import sys
import threading

REASONS = {'401': 'Unauthorized', '404': 'Not Found', '500': 'Internal Server Error'}


def jpeg():
    """A grey 16 × 16 JPEG, by hand: one DC coefficient a block."""
    quantizers = b'\xff\xdb' + struct.pack('>HB', 67, 0) + bytes([8] * 64)
    frame = b'\xff\xc0' + struct.pack('>HBHHB', 11, 8, 16, 16, 1) + bytes([1, 0x11, 0])
    dc_table = b'\xff\xc4' + struct.pack('>HB', 20, 0x00) + bytes([1] + [0] * 15) + bytes([0])
    ac_table = b'\xff\xc4' + struct.pack('>HB', 20, 0x10) + bytes([1] + [0] * 15) + bytes([0])
    scan = b'\xff\xda' + struct.pack('>HB', 8, 1) + bytes([1, 0, 0, 63, 0])
    return b'\xff\xd8' + quantizers + frame + dc_table + ac_table + scan + b'\x00' + b'\xff\xd9'


def stream_start(count):
    body = b''
    while len(body) < count:
        picture = jpeg()
        body += b'--edge\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' % len(picture) + picture + b'\r\n'
    return (b'HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=edge\r\n\r\n' + body)[:count]


def refuse(connection, status):
    """Answers one request; false when there is none."""
    request = b''
    while b'\r\n\r\n' not in request:
        part = connection.recv(4096)
        if not part:
            return False
        request += part
    lines = request.decode('latin-1').split('\r\n')
    protocol = 'RTSP/1.0' if 'RTSP/' in lines[0] else 'HTTP/1.1'
    extra = [line for line in lines if line.lower().startswith('cseq')]
    if status == '401':
        extra.append('WWW-Authenticate: Basic realm="double"')
    answer = [f'{protocol} {status} {REASONS[status]}', 'Content-Length: 0'] + extra
    connection.sendall('\r\n'.join(answer + ['', '']).encode())
    return True


def serve(connection, mode, count):
    try:
        if mode in REASONS:
            while refuse(connection, mode):
                pass
        elif mode == 'garbage':
            connection.sendall(random.Random(7).randbytes(count))
        elif mode == 'stalls':
            connection.recv(4096)
            connection.sendall(stream_start(count))
        if mode in ('silent', 'stalls'):
            while connection.recv(4096):
                pass
    except OSError:
        pass
    connection.close()


def accept(listener, mode, count):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, mode, count), daemon=True).start()


def main():
    mode = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else {'garbage': 100000}.get(mode, 20000)
    listener = socket.create_server(('127.0.0.1', 0))
    threading.Thread(target=accept, args=(listener, mode, count), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


main()
