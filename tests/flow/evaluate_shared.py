#!/usr/bin/python3
"""vedette-cli evaluate with trained models on labelled photographs: near the table of the models' README, and equal
to the reference script on the same detections, in float32 and in bfloat16."""
import json
import os
import re
import subprocess
import sys

import cli_harness
from cli_harness import SHARED, CliTest

PHOTOS = os.path.join(SHARED, 'photos/coco64')
MODELS = ('yolov8n-320', 'yolo11n-320', 'yolo26n')
NEAR = 0.01


def wanted():
    """{model: (mAP50, mAP50-95)} of the README's table."""
    with open(os.path.join(SHARED, 'models/README.md'), encoding='utf-8') as stream:
        rows = re.findall(r'^\| `([\w-]+)\.onnx` \| (0\.\d+) \| (0\.\d+) \|', stream.read(), re.M)
    return {name: (float(at50), float(whole)) for name, at50, whole in rows}


class Accuracy(CliTest):
    def evaluate(self, model, *options):
        self.run_cli('evaluate', '--model', os.path.join(SHARED, f'models/{model}.onnx'), '--json', 'out.json',
                     '--detections', 'found.jsonl', *options, PHOTOS, seconds=300)
        with open(self.path('out.json'), encoding='utf-8') as stream:
            figures = json.load(stream)
        print(f"  {model} {' '.join(options)}: mAP50 {figures['mAP50']:.4f}, mAP50-95 {figures['mAP50-95']:.4f}, "
              f"{figures['seconds']:.1f} s, {figures.get('engine', '')}")
        self.check_against_script(figures)
        return figures

    def check_against_script(self, figures):
        out = subprocess.run(['/usr/bin/python3', os.path.join(SHARED, 'bench/map.py'), '--per-class', '--detections',
                              self.path('found.jsonl'), '--dir', PHOTOS], capture_output=True, text=True, check=False)
        self.assertEqual(out.returncode, 0, out.stderr)
        theirs = json.loads(out.stdout)
        for key in ('images', 'labels', 'classes'):
            self.assertEqual(figures[key], theirs[key])
        for key in ('mAP50', 'mAP50-95'):
            self.assertAlmostEqual(figures[key], theirs[key], delta=0.00006)
        ours = list(figures['AP50'].values())
        for mine, their in zip(ours, theirs['AP50'].values()):
            self.assertAlmostEqual(mine, their, delta=0.00006)
        self.assertEqual(len(ours), len(theirs['AP50']))

    def check(self, model):
        at50, whole = wanted()[model]
        figures = self.evaluate(model)
        self.assertAlmostEqual(figures['mAP50'], at50, delta=NEAR)
        self.assertAlmostEqual(figures['mAP50-95'], whole, delta=NEAR)
        matrix = figures['confusion']['matrix']
        self.assertEqual(sum(map(sum, matrix[:-1])), figures['labels'])
        self.assertTrue(0.1 < figures['best_f1']['threshold'] < 0.6)
        status, _, error = self.finish(self.start('check-model', '--precision', 'bf16',
                                                  os.path.join(SHARED, f'models/{model}.onnx')), 60)
        if status != 0:
            print(f'  no bf16 here: {error.strip()}')
            return
        half = self.evaluate(model, '--precision', 'bf16')
        for key in ('mAP50', 'mAP50-95'):
            self.assertAlmostEqual(half[key], figures[key], delta=NEAR)

    def test_yolov8n(self):
        self.check(MODELS[0])

    def test_yolo11n(self):
        self.check(MODELS[1])

    def test_yolo26n(self):
        self.check(MODELS[2])

    def test_faces_start_at_their_own_threshold(self):
        model = os.path.join(SHARED, 'models/families/yunet-n_face_320.onnx')
        photo = os.path.join(SHARED, 'models/families/photos/zidane.jpg')
        plain = self.detect('--model', model, photo)[0]['detections']
        many = self.detect('--model', model, '--conf', '0.3', photo)[0]['detections']
        self.assertGreaterEqual(len(plain), 2)
        self.assertGreaterEqual(min(found['confidence'] for found in plain), 0.6)
        self.assertGreaterEqual(len(many), len(plain))
        settings = self.write('some.conf', 'detection = { confidence = 0.9; };')
        few = self.detect('--model', model, '--config', settings, photo)[0]['detections']
        self.assertGreaterEqual(min(found['confidence'] for found in few), 0.9)
        self.assertLess(len(few), len(plain))


if __name__ == '__main__':
    if not os.path.isdir(PHOTOS) or not all(os.path.exists(os.path.join(SHARED, f'models/{m}.onnx')) for m in MODELS):
        print(f'waits for shared: {os.path.basename(__file__)}')
        sys.exit(os.environ.get('VEDETTE_REQUIRE_SHARED') == '1')
    cli_harness.main()
