#!/usr/bin/python3
"""vedette-cli evaluate on rendered pictures: its figures against those worked out here from the detections it
writes."""
import json
import os
import struct
import zlib

import cli_harness
from cli_harness import CliTest

WIDTH, HEIGHT, SIDE, PICTURES = 160, 120, 30, 24


def png(width, height, pixel):
    """A grey PNG; pixel(x, y) is 0 to 255."""
    rows = b''.join(b'\0' + bytes(pixel(x, y) for x in range(width)) for y in range(height))
    chunk = lambda kind, data: (struct.pack('>I', len(data)) + kind + data +
                                struct.pack('>I', zlib.crc32(kind + data)))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return both / (area(a) + area(b) - both)


def average_precision(pictures, least):
    """pictures: (detections, true boxes) of one class each."""
    rows, labels = [], 0
    for detections, truths in pictures:
        free = list(truths)
        labels += len(truths)
        for found in sorted(detections, key=lambda row: -row['confidence']):
            best = max(free, key=lambda box: iou(found['bbox'], box), default=None)
            right = best is not None and iou(found['bbox'], best) >= least
            if right:
                free.remove(best)
            rows.append((found['confidence'], right))
    rows.sort(key=lambda row: -row[0])
    hits, curve = 0, []
    for count, (_, right) in enumerate(rows, 1):
        hits += right
        curve.append((hits / labels, hits / count))
    return sum(max((p for r, p in curve if r >= at * 0.01), default=0) for at in range(101)) / 101


class Evaluate(CliTest):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path('set/images'))
        os.makedirs(self.path('set/labels'))

    def add(self, number, squares, labels=None):
        """A picture of bright squares on a dark pattern, and the labels of some of them."""
        name = f'{number:03}'
        inside = lambda x, y: any(sx <= x < sx + SIDE and sy <= y < sy + SIDE for sx, sy in squares)
        self.write(f'set/images/{name}.png',
                   png(WIDTH, HEIGHT, lambda x, y: 230 if inside(x, y) else 40 + (x * 7 + y * 3) % 20))
        boxes = [[x, y, x + SIDE, y + SIDE] for x, y in (squares if labels is None else labels)]
        if boxes:
            self.write(f'set/labels/{name}.txt', ''.join(
                f'0 {(x1 + x2) / 2 / WIDTH} {(y1 + y2) / 2 / HEIGHT} {SIDE / WIDTH} {SIDE / HEIGHT}\n'
                for x1, y1, x2, y2 in boxes))
        return name, boxes

    def clip(self):
        """A square that moves, in one picture of four a second one that no label names; {name: true boxes}."""
        truths = {}
        for i in range(PICTURES):
            square = (4 + 5 * i, 20 + 2 * (i % 7))
            other = [(110, 80)] if i % 4 == 3 else []
            name, boxes = self.add(i, [] if i < 6 else [square] + other, [] if i < 6 else [square])
            truths[name] = boxes
        return truths

    def test_figures_are_those_of_the_detections(self):
        truths = self.clip()
        self.write('set/images/.hidden', 'no picture')
        self.run_cli('evaluate', '--model', 'builtin:motion', '--workers', '1', '--json', 'out.json', '--detections',
                     'found.jsonl', 'set')
        with open(self.path('out.json'), encoding='utf-8') as stream:
            figures = json.load(stream)
        with open(self.path('found.jsonl'), encoding='utf-8') as stream:
            lines = [json.loads(line) for line in stream]
        self.assertEqual([os.path.basename(line['source'])[:-4] for line in lines], sorted(truths))
        self.assertEqual({(line['width'], line['height']) for line in lines}, {(WIDTH, HEIGHT)})
        pictures = [(line['detections'], truths[os.path.basename(line['source'])[:-4]]) for line in lines]
        at = [average_precision(pictures, 0.5 + 0.05 * k) for k in range(10)]
        print(f"  mAP50 {figures['mAP50']:.4f}, mAP50-95 {figures['mAP50-95']:.4f}")
        self.assertTrue(0.1 < figures['mAP50'] < 1, figures['mAP50'])
        self.assertAlmostEqual(figures['mAP50'], at[0], places=5)
        self.assertAlmostEqual(figures['mAP50-95'], sum(at) / 10, places=5)
        self.assertEqual(figures['AP50'], {'motion': figures['mAP50']})
        self.assertEqual((figures['images'], figures['labels'], figures['classes']), (PICTURES, PICTURES - 6, 1))
        self.assertEqual(figures['detections'], sum(len(line['detections']) for line in lines))
        self.check_best(figures['best_f1'], pictures)
        self.check_confusion(figures['confusion'], pictures)

    def check_best(self, best, pictures):
        """No threshold gives more."""
        labels = sum(len(truths) for _, truths in pictures)
        def f1(threshold):
            found = hits = 0
            for detections, truths in pictures:
                free = list(truths)
                for row in sorted(detections, key=lambda row: -row['confidence']):
                    if row['confidence'] < threshold:
                        continue
                    found += 1
                    near = max(free, key=lambda box: iou(row['bbox'], box), default=None)
                    if near is not None and iou(row['bbox'], near) >= 0.5:
                        free.remove(near)
                        hits += 1
            return 2 * hits / (found + labels)
        scores = {row['confidence'] for detections, _ in pictures for row in detections}
        self.assertAlmostEqual(best['f1'], max(map(f1, scores)), places=5)
        self.assertAlmostEqual(best['f1'], f1(best['threshold']), places=5)

    def check_confusion(self, confusion, pictures):
        self.assertEqual((confusion['classes'], confusion['confidence'], confusion['iou']), (['motion'], 0.25, 0.5))
        (right, missed), (invented, nothing) = confusion['matrix']
        self.assertEqual(right + missed, sum(len(truths) for _, truths in pictures))
        self.assertEqual(right + invented, sum(row['confidence'] >= 0.25 for rows, _ in pictures for row in rows))
        self.assertEqual(nothing, 0)
        self.assertGreater(right, 0)
        self.assertGreater(invented, 0)

    def test_words(self):
        self.clip()
        out, error = self.run_cli('evaluate', '--model', 'builtin:motion', '--workers', '1', 'set')
        self.assertEqual(error, '')
        for word in ('24 pictures', '18 labels', 'mAP50 ', 'mAP50-95', 'best F1', 'motion'):
            self.assertIn(word, out)

    def test_standard_output(self):
        self.add(0, [(10, 10)])
        out, _ = self.run_cli('evaluate', '--model', 'builtin:motion', '--json', '-', 'set')
        self.assertEqual(json.loads(out)['mAP50'], 0)

    def test_refusals(self):
        arguments = ['evaluate', '--model', 'builtin:motion']
        self.refuse(*arguments, 'set', words=['no pictures'])
        self.refuse(*arguments, 'nowhere', words=['labels'])
        self.refuse('evaluate', 'set', words=['--model'])
        self.refuse(*arguments, '--conf', '2', 'set', words=['0.0001 to 1'])
        self.add(0, [(10, 10)], [])
        self.refuse(*arguments, 'set', words=['No object is labelled'])
        self.write('set/labels/000.txt', '0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1\n')
        self.refuse(*arguments, 'set', words=['000.txt, line 2', 'class is 1'])
        self.write('set/labels/000.txt', '0 0.5 0.5 0.1\n')
        self.refuse(*arguments, 'set', words=['000.txt, line 1', 'has 4 numbers'])
        self.write('set/labels/000.txt', '0 0.5 0.5 0.1 0.1\n')
        self.write('set/images/001.png', 'no picture at all')
        self.refuse(*arguments, 'set', words=['001.png'])
        os.remove(self.path('set/images/001.png'))
        self.refuse(*arguments, '--json', '-', '--detections', '-', 'set', words=['both'])
        self.refuse(*arguments, '--json', 'no/such/folder.json', 'set', words=['cannot be written'])
        self.refuse('evaluate', '--model', 'missing.onnx', 'set', words=['missing.onnx'])


class NetworkOptions(CliTest):
    def test_wrong_words(self):
        for command in (['detect'], ['evaluate']):
            for option, value, words in (('--input', 'big', ['"big"', '640x384']), ('--input', '0', ['32 to 4096']),
                                         ('--input', '640x', ['640x384']), ('--input', '8192', ['32 to 4096']),
                                         ('--precision', 'fp16', ['fp32 or bf16']),
                                         ('--device', 'cudda', ['did you mean cuda?'])):
                os.makedirs(self.path('set/images'), exist_ok=True)
                os.makedirs(self.path('set/labels'), exist_ok=True)
                self.write('set/images/a.png', png(8, 8, lambda x, y: 9))
                self.refuse(*command, '--model', 'builtin:people', option, value, 'set', words=words)

    def test_settings(self):
        settings = self.write('some.conf', 'detection = { confidence = 0.9; precision = "fp32"; input_size = 640; };')
        lines = self.detect('--model', 'builtin:motion', '--config', settings, '--frames', '20', cli_harness.SCENE)
        self.assertEqual(len(lines), 20)
        for line in lines:
            self.assertTrue(all(found['confidence'] >= 0.9 for found in line['detections']))


if __name__ == '__main__':
    cli_harness.main()
