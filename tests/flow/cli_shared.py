#!/usr/bin/python3
"""vedette-cli with a real model on real photographs and clips, and on files that are odd or broken."""
import json
import os
import sys

import cli_harness
from cli_harness import SHARED, CliTest

MODEL = os.path.join(SHARED, 'models/yolov8n-320.onnx')
PHOTOS = os.path.join(SHARED, 'photos')


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return both / (area(a) + area(b) - both)


def matches(found, wanted, least):
    classes = [wanted['class'], *wanted.get('also_class', [])]
    boxes = [wanted['box'], *wanted.get('also_box', [])]
    return found['class_name'] in classes and max(iou(found['bbox'], box) for box in boxes) >= least


def take_match(detections, wanted, least):
    """Takes the best detection that matches out of the list."""
    best = max((found for found in detections if matches(found, wanted, least)),
               key=lambda found: found['confidence'], default=None)
    if best is not None:
        detections.remove(best)
    return best


class Photos(CliTest):
    def setUp(self):
        super().setUp()
        with open(os.path.join(PHOTOS, 'expected.json'), encoding='utf-8') as stream:
            self.expected = json.load(stream)

    def test_bus(self):
        line = self.detect('--model', MODEL, os.path.join(PHOTOS, 'bus.jpg'))[0]
        self.assertEqual((line['width'], line['height'], line['input'], line['model']),
                         (810, 1080, [320, 320], 'yolov8n-320'))
        detections = list(line['detections'])
        for wanted in self.expected[0]['objects']:
            if wanted['clear']:
                self.assertIsNotNone(take_match(detections, wanted, 0.8), wanted)

    def test_all_photos(self):
        sources = [os.path.join(PHOTOS, photo['file']) for photo in self.expected]
        lines = self.detect('--model', MODEL, '--annotate', 'out', *sources)
        self.assertEqual(len(lines), len(sources))
        found = wanted_count = 0
        for photo, line in zip(self.expected, lines):
            self.assertEqual((line['width'], line['height']), (photo['width'], photo['height']))
            detections = list(line['detections'])
            for wanted in (wanted for wanted in photo['objects'] if wanted['clear']):
                wanted_count += 1
                hit = take_match(detections, wanted, 0.5)
                found += hit is not None
                if hit is None:
                    print(f"  missed in {photo['file']}: {wanted['class']} at {wanted['box']}")
        print(f'  {found} of {wanted_count} clear objects')
        self.assertEqual(wanted_count, 32)
        self.assertGreaterEqual(found, 30)
        self.assertEqual(len(os.listdir(self.path('out'))), len(sources))

    def test_classes_and_thresholds(self):
        bus = os.path.join(PHOTOS, 'bus.jpg')
        line = self.detect('--model', MODEL, '--classes', 'bus,Tie', bus)[0]
        self.assertEqual({found['class_name'] for found in line['detections']}, {'bus'})
        few = self.detect('--model', MODEL, '--conf', '0.8', bus)[0]['detections']
        many = self.detect('--model', MODEL, '--conf', '0.01', bus)[0]['detections']
        self.assertTrue(0 < len(few) < 4 < len(many))
        self.assertLess(min(found['confidence'] for found in many), 0.05)
        self.refuse('detect', '--model', MODEL, '--classes', 'buss', bus, words=['"buss"', '"bus"'])


class Models(CliTest):
    def test_check_model(self):
        out, _ = self.run_cli('check-model', MODEL)
        for word in ('YOLOv8', '320 × 320', 'images', 'letterboxed on grey 114, RGB, value / 255', '[1, 64, 40, 40]',
                     'stride 32: 10 × 10', '80: person, bicycle', 'confidence 0.25, IoU 0.45', 'mean of 16 bins'):
            self.assertIn(word, out)
        found = json.loads(self.run_cli('check-model', '--json', MODEL)[0])
        self.assertEqual((found['input'], len(found['outputs']), len(found['classes'])), ([320, 320], 6, 80))
        self.assertEqual(found['outputs'][1]['shape'], [1, 80, 40, 40])
        self.assertEqual([grid['stride'] for grid in found['grids']], [8, 16, 32])
        self.assertEqual(found['classes'][79], 'toothbrush')

    def test_input_size(self):
        found = json.loads(self.run_cli('check-model', '--json', '--input', '640x384', MODEL)[0])
        self.assertEqual(found['input'], [640, 384])
        self.assertEqual(found['grids'][2], {'stride': 32, 'width': 20, 'height': 12})
        self.assertEqual(found['outputs'][0]['shape'], [1, 64, 48, 80])
        self.refuse('check-model', '--input', '333', MODEL, words=['32'])

    def test_labels(self):
        names = self.write('names.txt', '\n'.join(f'thing {i}' for i in range(80)))
        found = json.loads(self.run_cli('check-model', '--json', '--labels', names, MODEL)[0])
        self.assertEqual(found['classes'][5], 'thing 5')
        self.refuse('check-model', '--labels', self.write('few.txt', 'a\nb\n'), MODEL, words=['80'])

    def test_truncated(self):
        with open(MODEL, 'rb') as stream:
            data = stream.read()
        for length in (0, 100, len(data) // 2, len(data) - 1):
            name = self.write(f'cut-{length}.onnx', data[:length])
            self.refuse('check-model', name, words=[f'cut-{length}.onnx'])
            self.refuse('detect', '--model', name, os.path.join(PHOTOS, 'bus.jpg'), words=[f'cut-{length}.onnx'])


class Clips(CliTest):
    def test_person(self):
        clip = os.path.join(SHARED, 'clips/one-by-one-person.mp4')
        lines = self.detect('--model', MODEL, '--frames', '60', '--annotate', 'out.mp4', clip)
        self.assertEqual([line['frame'] for line in lines], list(range(60)))
        seen = sum(any(found['class_name'] == 'person' for found in line['detections']) for line in lines)
        print(f'  a person in {seen} of 60 frames')
        self.assertGreater(seen, 0)
        codec, width, height, times = self.probe(self.path('out.mp4'))
        self.assertEqual((codec, width, height, len(times)), ('h264', 768, 432, 60))

    def test_odd_files(self):
        with open(os.path.join(SHARED, 'clips/odd/expected.json'), encoding='utf-8') as stream:
            expected = json.load(stream)
        for odd in expected:
            with self.subTest(file=odd['file']):
                self.check_odd(odd)

    def check_odd(self, odd):
        path = os.path.join(SHARED, 'clips/odd', odd['file'])
        status, out, error = self.finish(self.start('detect', '--model', 'builtin:motion', '--json', '-', path), 10)
        outcomes = {odd['expect'], odd.get('also_ok', odd['expect'])}
        self.assertIn(status, (0, 2), error)
        if status == 2:
            self.assertIn('refused', outcomes, error)
            self.assertEqual((out, error.count('\n')), ('', 1), error)
        else:
            self.assertNotEqual(outcomes, {'refused'}, out)
            self.assertGreaterEqual(len(out.splitlines()), odd['min_frames'])


if __name__ == '__main__':
    if not os.path.exists(MODEL):
        print(f'waits for shared: {os.path.basename(__file__)}')
        sys.exit(os.environ.get('VEDETTE_REQUIRE_SHARED') == '1')
    cli_harness.main()
