#!/usr/bin/python3
"""vedette-cli demo: clips of the rendered road with their exact truth; and the model that is called demo."""
import json
import os
import signal
import subprocess

import cli_harness
from cli_harness import SCENE, CliTest

HAZARDS = {'crack': 0, 'pothole': 1}
DECOYS = {'shadow', 'wet patch', 'manhole cover', 'tar seam'}


class Clips(CliTest):
    def demo(self, *arguments, status=0):
        return self.run_cli('demo', *arguments, status=status)

    def lines(self, name):
        with open(self.path(name), encoding='utf-8') as stream:
            return [json.loads(line) for line in stream]

    def mean_luma(self, name):
        out = subprocess.run(['ffmpeg', '-v', 'error', '-i', self.path(name), '-f', 'rawvideo', '-pix_fmt', 'gray', '-'],
                             capture_output=True, check=True, timeout=60 * cli_harness.SLOW).stdout
        return sum(out[::97]) / len(out[::97])

    def check_box(self, box, line):
        x1, y1, x2, y2 = box
        self.assertTrue(0 <= x1 < x2 <= line['width'] and 0 <= y1 < y2 <= line['height'], box)

    def test_clip_and_truth(self):
        out, error = self.demo('out.mp4', '--frames', '45', '--seed', '7', '--fps', '25', '--size', '640x360',
                               '--truth', 'truth.jsonl')
        self.assertEqual(error, '')
        self.assertIn('1.8 s, 45 frames of demo:seed=7,size=640x360,fps=25', out)
        codec, width, height, times = self.probe(self.path('out.mp4'))
        self.assertEqual((codec, width, height, len(times)), ('h264', 640, 360, 45))
        lines = self.lines('truth.jsonl')
        self.assertEqual([line['frame'] for line in lines], list(range(45)))
        kinds, tracks = {}, {}
        for line, time in zip(lines, times):
            self.assertEqual((line['source'], line['width'], line['height']),
                             ('demo:seed=7,size=640x360,fps=25', 640, 360))
            self.assertAlmostEqual(line['time'], line['frame'] / 25, delta=0.0006)
            self.assertAlmostEqual(line['time'], time, delta=0.002)
            for found in line['detections']:
                self.check_box(found['bbox'], line)
                self.assertEqual(set(found), {'bbox', 'confidence', 'class_id', 'class_name', 'track_id'})
                self.assertEqual((found['confidence'], found['class_id']), (1, HAZARDS[found['class_name']]))
                self.assertEqual(kinds.setdefault(found['track_id'], found['class_name']), found['class_name'])
                tracks.setdefault(found['track_id'], []).append(line['frame'])
            for decoy in line['decoys']:
                self.check_box(decoy['bbox'], line)
                self.assertIn(decoy['kind'], DECOYS)
                self.assertEqual(kinds.setdefault(decoy['track_id'], decoy['kind']), decoy['kind'])
            ids = [one['track_id'] for one in line['detections'] + line['decoys']]
            self.assertEqual(len(ids), len(set(ids)))
        self.assertTrue(tracks and set(kinds.values()) & DECOYS, kinds)
        self.assertGreater(max(map(len, tracks.values())), 10)

    def test_same_seed_same_clip(self):
        for name in ('a', 'b'):
            self.demo(f'{name}.mp4', '--frames', '10', '--seed', '3', '--size', '320x180', '--truth', f'{name}.jsonl')
        self.demo('c.mp4', '--frames', '10', '--seed', '4', '--size', '320x180', '--truth', 'c.jsonl')
        self.assertEqual(self.lines('a.jsonl'), self.lines('b.jsonl'))
        self.assertNotEqual(self.lines('a.jsonl'), self.lines('c.jsonl'))
        frames = [subprocess.run(['ffmpeg', '-v', 'error', '-i', self.path(f'{name}.mp4'), '-f', 'md5', '-'],
                                 capture_output=True, check=True).stdout for name in 'abc']
        self.assertEqual(frames[0], frames[1])
        self.assertNotEqual(frames[0], frames[2])

    def test_night_view_and_hazards(self):
        common = ('--frames', '4', '--seed', '5', '--size', '320x180')
        self.demo('day.mp4', *common, '--truth', 'day.jsonl')
        self.demo('night.mp4', *common, '--night', '--truth', 'night.jsonl')
        self.demo('pole.mp4', *common, '--view', 'pole', '--truth', 'pole.jsonl')
        self.demo('none.mp4', *common, '--hazards', '0', '--truth', 'none.jsonl')
        self.assertLess(self.mean_luma('night.mp4'), 0.8 * self.mean_luma('day.mp4'))
        boxes = lambda name: [(line['detections'], line['decoys']) for line in self.lines(name)]
        self.assertEqual(boxes('day.jsonl'), boxes('night.jsonl'))
        self.assertNotEqual(boxes('day.jsonl'), boxes('pole.jsonl'))
        self.assertFalse(any(line['detections'] for line in self.lines('none.jsonl')))
        self.assertEqual(self.lines('night.jsonl')[0]['source'], 'demo:seed=5,size=320x180,night=1')

    def test_truth_on_stdout(self):
        out, error = self.demo('out.mp4', '--frames', '3', '--size', '320x180', '--truth', '-')
        self.assertEqual([json.loads(line)['frame'] for line in out.splitlines()], [0, 1, 2])
        self.assertEqual(error, '')
        with open('/dev/full', 'wb') as full:
            status, _, error = self.finish(self.start('demo', 'full.mp4', '--frames', '3', '--size', '320x180',
                                                      '--truth', '-', stdout=full))
        self.assertEqual(status, 1)
        self.assertEqual(error.count('\n'), 1, error)
        self.assertIn('No space left', error)

    def test_what_is_wrong_is_refused(self):
        self.write('there.mp4', 'something')
        for arguments, words in ((('out.mp4',), ['--frames']),
                                 (('--frames', '3'), ['more arguments', 'OUT.mp4']),
                                 (('out.mkv', '--frames', '3'), ['out.mkv', '.mp4']),
                                 (('there.mp4', '--frames', '3'), ['there.mp4', 'not replaced']),
                                 (('out.mp4', '--frames', '0'), ['--frames', '1 to']),
                                 (('out.mp4', '--frames', '3', '--seed', '-1'), ['--seed', '0 to 4294967295']),
                                 (('out.mp4', '--frames', '3', '--fps', '121'), ['--fps', '1 to 120']),
                                 (('out.mp4', '--frames', '3', '--size', '63x64'), ['63x64', '64 to 3840']),
                                 (('out.mp4', '--frames', '3', '--size', '641x360'), ['641x360', 'even']),
                                 (('out.mp4', '--frames', '3', '--size', '640x360,seed=2'), ['--size', 'WIDTHxHEIGHT']),
                                 (('out.mp4', '--frames', '3', '--view', 'roof'), ['roof', 'vehicle or pole']),
                                 (('out.mp4', '--frames', '3', '--hazards', '31'), ['--hazards', '0 to 30']),
                                 (('out.mp4', '--frames', '3', '--nigth'), ['did you mean --night?']),
                                 (('out.mp4', '--frames', '3', '--truth', 'none/t.jsonl'), ['none/t.jsonl'])):
            with self.subTest(arguments=arguments):
                self.refuse('demo', *arguments, words=words)
        self.assertFalse(os.path.exists(self.path('out.mp4')))
        with open(self.path('there.mp4'), 'rb') as stream:
            self.assertEqual(stream.read(), b'something')

    def test_interrupt_leaves_a_clip_that_plays(self):
        process = self.start('demo', 'out.mp4', '--frames', '1000000', '--size', '320x180', '--truth', 'truth.jsonl')
        self.wait_until(lambda: os.path.exists(self.path('out.mp4')), 'the first fragment')
        process.send_signal(signal.SIGINT)
        status, out, error = self.finish(process, 10)
        self.assertEqual((status, error), (130, ''))
        frames = len(self.lines('truth.jsonl'))
        self.assertEqual(len(self.probe(self.path('out.mp4'))[3]), frames)
        self.assertIn(f'{frames} frames', out)

    def test_options_of_the_source(self):
        self.refuse('detect', 'demo:hazards=31', words=['hazards', '0 to 30'])
        self.refuse('detect', 'demo:view=roof', words=['view', 'roof', 'vehicle'])
        self.refuse('detect', 'demo:hazards=-1', words=['vedette-cli: The demonstration', 'hazards', '-1'])
        self.refuse('detect', 'demo:night=maybe', words=['night', 'maybe', '0 (day) or 1 (night)'])


class Model(CliTest):
    """`demo` is a file in a folder of models; which file it is does not matter here."""

    def test_default_without_the_file(self):
        self.assertEqual(self.detect('--frames', '1', SCENE)[0]['model'], 'builtin:motion')

    def test_asked_for_without_the_file(self):
        for command in (('detect', '--frames', '1', '--model', 'demo', SCENE), ('check-model', 'demo'),
                        ('bench', 'engine', '--model', 'demo'), ('bench', 'async', '--model', 'demo')):
            self.refuse(*command, words=['road-detector.onnx'])
        config = self.write('c.conf', 'model = "demo";\n')
        self.refuse('detect', '--config', config, '--frames', '1', SCENE, words=['road-detector.onnx'])

    def test_the_file_is_found(self):
        self.write('home/road-detector.onnx', 'no model')
        for command in (('detect', '--frames', '1', SCENE), ('detect', '--model', 'demo', '--frames', '1', 'x.mp4'),
                        ('check-model', 'demo')):
            self.refuse(*command, words=[self.path('home/road-detector.onnx')])


if __name__ == '__main__':
    cli_harness.main()
