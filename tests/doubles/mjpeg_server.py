#!/usr/bin/python3
"""A camera that speaks HTTP, for tests: mjpeg_server.py CLIP [RATE]

CLIP is sent over and over in real time, each picture a JPEG, as multipart/x-mixed-replace at /mjpeg; as an MPEG
transport stream at /ts; as one picture at /still.jpg; as the file itself, with ranges, at /clip.mp4. RATE is in
pictures a second, default 25. Needs ffmpeg. Prints the port on one line once it listens. Ends when its standard input
does."""
import http.server
import subprocess
import sys
import threading
import time

CLIP = sys.argv[1]
RATE = float(sys.argv[2]) if len(sys.argv) > 2 else 25.0


def pictures():
    """The clip's first hundred pictures as JPEGs."""
    command = ['ffmpeg', '-v', 'error', '-i', CLIP, '-frames:v', '100', '-f', 'image2pipe', '-c:v', 'mjpeg', '-q:v', '5',
               '-pix_fmt', 'yuvj420p', '-']
    data = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return [part + b'\xff\xd9' for part in data.split(b'\xff\xd9') if part]


PICTURES = pictures()


class Camera(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def begin(self, kind, status=200, **headers):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()

    def send_pictures(self):
        self.begin('multipart/x-mixed-replace; boundary=edge')
        start = time.monotonic()
        for number in range(10 ** 6):
            picture = PICTURES[number % len(PICTURES)]
            self.wfile.write(b'--edge\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' % len(picture))
            self.wfile.write(picture + b'\r\n')
            self.wfile.flush()
            time.sleep(max(0, start + (number + 1) / RATE - time.monotonic()))

    def send_transport_stream(self):
        self.begin('video/mp2t')
        command = ['ffmpeg', '-v', 'error', '-re', '-stream_loop', '-1', '-i', CLIP, '-an', '-c:v', 'libx264', '-preset',
                   'ultrafast', '-tune', 'zerolatency', '-g', '25', '-f', 'mpegts', '-']
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as sender:
            try:
                while part := sender.stdout.read1(65536):
                    self.wfile.write(part)
            finally:
                sender.kill()

    def send_file(self):
        with open(CLIP, 'rb') as clip:
            data = clip.read()
        wanted = self.headers.get('Range', 'bytes=0-').removeprefix('bytes=').split('-')
        first, last = int(wanted[0] or 0), int(wanted[1] or len(data) - 1)
        self.begin('video/mp4', 206, Accept_Ranges='bytes', Content_Length=str(last - first + 1),
                   Content_Range=f'bytes {first}-{last}/{len(data)}')
        self.wfile.write(data[first:last + 1])

    def do_GET(self):
        try:
            if self.path.startswith('/mjpeg'):
                self.send_pictures()
            elif self.path.startswith('/ts'):
                self.send_transport_stream()
            elif self.path.startswith('/still.jpg'):
                self.begin('image/jpeg', Content_Length=str(len(PICTURES[0])))
                self.wfile.write(PICTURES[0])
            elif self.path.startswith('/clip.mp4'):
                self.send_file()
            else:
                self.send_error(404)
        except (BrokenPipeError, ConnectionResetError):
            pass


def main():
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Camera)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
