#!/usr/bin/python3
"""vedette-cli: annotated pictures and clips, recordings; that they open, have the stream's times and the boxes."""
import os
import signal
import struct
import subprocess
import zlib

import cli_harness
from cli_harness import LIVE_SCENE, SCENE, CliTest


def make_png(width, height):
    """A picture with slopes of colour in which nobody stands."""
    rows = b''.join(b'\0' + bytes(v for x in range(width) for v in (x * 255 // width, y * 255 // height, 90))
                    for y in range(height))
    chunk = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


class MediaTest(CliTest):
    def read(self, name):
        with open(self.path(name), 'rb') as stream:
            return stream.read()

    def luma(self, name):
        """The grey frames of a clip, one bytes object each, by ffmpeg."""
        _, width, height, times = self.probe(self.path(name))
        raw = subprocess.run(['ffmpeg', '-v', 'error', '-i', self.path(name), '-fps_mode', 'passthrough', '-f', 'rawvideo',
                              '-pix_fmt', 'gray', '-'], capture_output=True, check=True, timeout=60).stdout
        size = width * height
        self.assertEqual(len(raw), size * len(times))
        return [raw[i:i + size] for i in range(0, len(raw), size)]

    def assert_clip(self, name, times=None, width=320, height=180):
        """The clip opens everywhere, ours included."""
        codec, got_width, got_height, got = self.probe(self.path(name))
        self.assertEqual((codec, got_width, got_height), ('h264', width, height))
        self.assertEqual(len(self.detect(self.path(name))), len(got))
        if times is not None:
            self.assertEqual(len(got), len(times))
            for a, b in zip(got, times):
                self.assertAlmostEqual(a - got[0], b - times[0], delta=0.002)
        return got


class Pictures(MediaTest):
    def test_png_and_jpeg(self):
        self.write('in.png', make_png(321, 203))
        for name, start in (('out.png', b'\x89PNG\r\n\x1a\n'), ('out.jpg', b'\xff\xd8\xff'), ('OUT.JPEG', b'\xff\xd8\xff')):
            out, _ = self.run_cli('detect', '--annotate', name, 'in.png')
            self.assertIn('in.png: 321 × 203', out)
            self.assertEqual(self.read(name)[:len(start)], start)
            line = self.detect(name)[0]
            self.assertEqual((line['width'], line['height'], line['frame'], line['time']), (321, 203, 0, 0))

    def test_folder(self):
        os.makedirs(self.path('a'))
        for name in ('one.png', 'two.png', 'a/one.png'):
            self.write(name, make_png(64, 48))
        self.run_cli('detect', '--annotate', 'out', '--frames', '3', 'one.png', 'two.png', 'a/one.png', SCENE)
        names = sorted(os.listdir(self.path('out')))
        self.assertEqual([name for name in names if name.endswith('.png')], ['one-2.png', 'one.png', 'two.png'])
        clips = [name for name in names if name.endswith('.mp4')]
        self.assertEqual(len(clips), 1, names)
        self.assert_clip(os.path.join('out', clips[0]))
        self.run_cli('detect', '--annotate', 'out', '--frames', '3', 'one.png', 'two.png')  # again: replaced
        self.run_cli('detect', '--annotate', 'other/', 'one.png')
        self.assertEqual(os.listdir(self.path('other')), ['one.png'])

    def test_what_is_not_written_over(self):
        before = make_png(64, 48)
        self.write('in.png', before)
        self.refuse('detect', '--annotate', 'in.png', 'in.png', words=['in.png', 'source'])
        self.refuse('detect', '--annotate', '.', 'in.png', words=['in.png', 'source'])
        os.symlink('in.png', self.path('link.png'))
        self.refuse('detect', '--annotate', 'link.png', 'in.png', words=['link.png', 'source'])
        self.assertEqual(self.read('in.png'), before)
        os.mkfifo(self.path('pipe.png'))
        self.refuse('detect', '--annotate', 'pipe.png', 'in.png', words=['pipe.png', 'regular'])
        self.write('old.jpg', b'old')
        self.run_cli('detect', '--annotate', 'old.jpg', 'in.png')
        self.assertNotEqual(self.read('old.jpg'), b'old')

    def test_wrong_names(self):
        self.write('in.png', make_png(64, 48))
        self.refuse('detect', '--annotate', 'out.txt', 'in.png', words=['out.txt', '.png or .jpg'])
        self.refuse('detect', '--annotate', 'out.mp4', 'in.png', words=['picture', '.png or .jpg'])
        self.refuse('detect', '--annotate', 'out.png', '--frames', '1', SCENE, words=['clip', '.mp4'])
        self.refuse('detect', '--annotate', 'out.png', 'in.png', 'in.png', words=['out.png', 'folder'])
        self.refuse('detect', '--annotate', 'none/x/', 'in.png', words=['none/x'])
        self.run_cli('detect', '--annotate', 'none/out.png', 'in.png', status=1)

    def test_name_that_is_not_utf8(self):
        raw = os.fsencode(self.folder) + b'/\xff".png'
        with open(raw, 'wb') as stream:
            stream.write(make_png(64, 48))
        line = self.detect(os.fsdecode(raw))[0]
        self.assertTrue(line['source'].endswith('/\ufffd".png'), line['source'])


class Clips(MediaTest):
    def test_times_and_boxes(self):
        lines = self.detect('--annotate', 'out.mp4', '--frames', '90', SCENE)
        self.assert_clip('out.mp4', [line['time'] for line in lines])
        self.run_cli('record', '--seconds', '3', SCENE, 'both.mp4')
        clean, drawn = self.luma('both-clean.mp4'), self.luma('both.mp4')
        self.assertEqual(len(clean), 90)
        self.assertEqual(len(drawn), 90)
        for line in lines:
            index = line['frame']
            changed = sum(abs(a - b) > 40 for a, b in zip(clean[index], drawn[index]))
            if not line['detections']:
                self.assertLess(changed, 60, f'frame {index} has no boxes but was drawn on')
            else:
                self.assertGreater(changed, 60, f'frame {index} lacks its boxes')

    def test_stride_keeps_the_times(self):
        lines = self.detect('--annotate', 'out.mp4', '--frames', '60', '--stride', '6', SCENE)
        self.assert_clip('out.mp4', [line['time'] for line in lines])

    def test_interrupt_leaves_a_clip_that_plays(self):
        process = self.start('detect', '--annotate', 'out.mp4', LIVE_SCENE)
        self.wait_until(lambda: os.path.exists(self.path('out.mp4')), 'the first fragment')
        process.send_signal(signal.SIGINT)
        status, out, error = self.finish(process, 10)
        self.assertEqual((status, error), (130, ''))
        self.assertIn('frames', out)
        self.assert_clip('out.mp4')
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith('.part')], [])


class Recordings(MediaTest):
    def check_report(self, out, count):
        lines = out.splitlines()
        self.assertEqual(len(lines), count, out)
        paths = []
        for line in lines:
            path, rest = line.rsplit(': ', 1)
            self.assertRegex(rest, r'^\d+\.\d s, \d+ frames')
            paths.append(path)
        return paths

    def test_named(self):
        out, error = self.run_cli('record', '--seconds', '2', SCENE, 'out.mp4')
        self.assertEqual(error, '')
        self.assertEqual(self.check_report(out, 2), ['out.mp4', 'out-clean.mp4'])
        for name in ('out.mp4', 'out-clean.mp4'):
            self.assertEqual(len(self.assert_clip(name)), 60)
        self.refuse('record', '--seconds', '1', SCENE, 'out.mp4', words=['out.mp4', 'exists'])

    def test_default_names(self):
        out, _ = self.run_cli('record', '--seconds', '0.5', SCENE)
        paths = self.check_report(out, 2)
        self.assertEqual(os.path.dirname(paths[0]), self.path('videos/Vedette'))
        self.assertEqual(paths[1], paths[0][:-4] + '-clean.mp4')
        for path in paths:
            self.assert_clip(path)

    def test_live_takes_its_time(self):
        self.run_cli('record', '--seconds', '1', LIVE_SCENE, 'out.mp4')
        times = self.assert_clip('out.mp4')
        self.assertTrue(0.7 <= times[-1] - times[0] <= 1.0, times)

    def test_interrupt(self):
        process = self.start('record', '--seconds', '600', LIVE_SCENE, 'out.mp4')
        for name in ('out.mp4', 'out-clean.mp4'):
            self.wait_until(lambda path=self.path(name): os.path.exists(path), name)
        process.send_signal(signal.SIGINT)
        status, out, error = self.finish(process, 10)
        self.assertEqual((status, error), (130, ''))
        for path in self.check_report(out, 2):
            self.assert_clip(path)

    def test_folder_that_cannot_be_made(self):
        self.write('file', b'')
        out, error = self.run_cli('record', '--seconds', '1', SCENE, 'file/out.mp4', status=1)
        self.assertEqual(out, '')
        self.assertIn('file', error)


if __name__ == '__main__':
    cli_harness.main()
