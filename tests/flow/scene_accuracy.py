#!/usr/bin/python3
"""The demonstration's models on scenes that training never saw: the figures that they are held to, and that these
are counted right, from the exact truth. `bench scene` measures; what it writes is counted here again."""
import collections
import json
import os
import subprocess
import sys
import tempfile
import unittest

CLI = os.path.abspath(sys.argv.pop(1))
SHARED = os.environ.get('VEDETTE_SHARED', '../shared')
MODELS = 'resources/models'
SEEDS, MOMENTS, RATE = 128, 16, 30
DECOYS = ('shadow', 'wet patch', 'manhole cover', 'tar seam')


def overlap(a, b):
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(wide, 0) * max(high, 0)
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return common / max(area(a) + area(b) - common, 1e-9)


def on_any(box, rows):
    return any(overlap(box, row['bbox']) >= 0.5 for row in rows)


def average_precision(found, labels):
    """found: pairs of score and hit. The mean of the precision's envelope at 101 recalls."""
    best, right, points = [], 0, []
    for count, (_, hit) in enumerate(sorted(found, key=lambda pair: -pair[0]), 1):
        right += hit
        points.append((right / labels, right / count))
    highest = 0.0
    for recall, precision in reversed(points):
        highest = max(highest, precision)
        best.append((recall, highest))
    best.reverse()
    at, total = 0, 0.0
    for step in range(101):
        while at < len(best) and best[at][0] < step / 100 - 1e-12:
            at += 1
        total += best[at][1] if at < len(best) else 0
    return total / 101


def match(found, labels, hits):
    """Of one class in one frame, the highest score first: who takes a label. Returns which labels were taken."""
    taken = set()
    for one in sorted(found, key=lambda d: -d['confidence']):
        best, at = 0.5, -1
        for k, label in enumerate(labels):
            value = overlap(one['bbox'], label['bbox'])
            if k not in taken and value >= best:
                best, at = value, k
        if at >= 0:
            taken.add(at)
        hits.append((one['confidence'], at >= 0))
    return taken


class Recount:
    """Average precision, decoys taken for hazards and objects followed, from the lines of the common schema."""

    def __init__(self, found_path, truth_path):
        self.hits = {0: [], 1: []}
        self.labels = collections.Counter()
        self.decoys, self.taken = collections.Counter(), collections.Counter()
        self.listed, self.seen = collections.Counter(), collections.Counter()
        with open(found_path, encoding='utf-8') as found, open(truth_path, encoding='utf-8') as truth:
            for one, other in zip(found, truth, strict=True):
                self.add(json.loads(one), json.loads(other))

    def add(self, found, truth):
        assert found['frame'] == truth['frame'] and found['source'] == truth['source']
        seen, objects, decoys = found['detections'], truth['detections'], truth['decoys']
        stray = [on_any(d['bbox'], decoys) and not on_any(d['bbox'], objects) for d in seen]
        kept = [d for d, is_stray in zip(seen, stray) if not is_stray]
        for class_id in self.hits:
            labels = [o for o in objects if o['class_id'] == class_id]
            self.labels[class_id] += len(labels)
            match([d for d in kept if d['class_id'] == class_id], labels, self.hits[class_id])
        for decoy in decoys:
            self.decoys[decoy['kind']] += 1
            self.taken[decoy['kind']] += any(is_stray and d['confidence'] >= 0.25 and
                                             overlap(d['bbox'], decoy['bbox']) >= 0.5
                                             for d, is_stray in zip(seen, stray))
        self.follow(found['source'], [d for d in seen if d['confidence'] >= 0.25],
                    [(o, o['class_name']) for o in objects] + [(d, d['kind']) for d in decoys])

    def follow(self, source, seen, objects):
        """A detection belongs to what it overlaps most."""
        owners = set()
        for one in seen:
            value, k = max(((overlap(one['bbox'], o['bbox']), k) for k, (o, _) in enumerate(objects)), default=(0, 0))
            if value >= 0.5:
                owners.add(k)
        for k, (one, kind) in enumerate(objects):
            name = (kind, source, one['track_id'])
            self.listed[name] += 1
            self.seen[name] += k in owners

    def precision(self, class_id):
        return average_precision(self.hits[class_id], self.labels[class_id])

    def through(self, kinds):
        """Objects listed at half of the moments: how many were seen at half of them, and how many there are."""
        names = [n for n, count in self.listed.items() if n[0] in kinds and count >= MOMENTS // 2]
        return sum(self.seen[n] >= MOMENTS // 2 for n in names), len(names)


class Accuracy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.found, cls.truth = (os.path.join(cls.folder.name, name) for name in ('found.jsonl', 'truth.jsonl'))
        done = subprocess.run([CLI, 'bench', 'scene', '--cases', 'models', '--sparse', '--seeds', f'2000000:{SEEDS}',
                               '--detections', cls.found, '--truth', cls.truth], capture_output=True, text=True,
                              timeout=380, check=False)
        cls.status, cls.said = done.returncode, done.stderr
        cls.lines = {(line['bench'], line.get('case')): line for line in map(json.loads, done.stdout.splitlines())}
        if cls.status in (0, 1) and cls.lines:
            cls.recount = Recount(cls.found, cls.truth)
        for (bench, name), line in cls.lines.items():
            if bench.startswith('scene'):
                print(f"  {bench} {name}: {line['value']:.4g}" + (f" of {line['of']}" if 'of' in line else ''))

    def setUp(self):
        self.assertIn(self.status, (0, 1), self.said)

    def line(self, name, bench='scene'):
        return self.lines[bench, name]

    def judge(self, name, bound):
        line = self.line(name)
        self.assertEqual(line['bound'], bound, name)
        self.assertEqual(line['holds'], line['value'] >= bound)
        self.assertGreaterEqual(line['value'], bound, name)
        return line

    def test_models_are_small(self):
        sizes = [os.path.getsize(os.path.join(MODELS, name)) for name in ('road-detector.onnx', 'road-verifier.onnx')]
        self.assertLessEqual(sum(sizes), 4e6)

    def test_detector_finds_hazards(self):
        line = self.judge('detector mAP50', 0.90)
        self.assertEqual((line['windows'], line['frames']), (SEEDS, SEEDS * MOMENTS))
        self.assertGreater(line['hazard_boxes'], 2000)
        for view in ('vehicle, day', 'vehicle, night', 'pole, day', 'pole, night'):
            self.assertGreater(line[view], 0.75, view)

    def test_sizes(self):
        """From 12 pixels up, small ones and large ones: the histogram's parts make a whole."""
        for kind in ('crack', 'pothole'):
            rows = [line for (bench, name), line in self.lines.items()
                    if bench == 'scene_recall' and name.startswith(f'{kind}, ')]
            self.assertEqual(len(rows), 5, kind)
            self.assertAlmostEqual(sum(row['part'] for row in rows), 1, places=3)
            self.assertEqual(sum(row['of'] for row in rows), self.line(kind, 'scene_recall')['of'])
            for row in rows:
                self.assertGreater(row['part'], 0.01, row['case'])

    def test_decoys_look_like_hazards(self):
        self.judge('decoys to hazards', 1)
        self.judge('shadows and wet patches taken for hazards by stage 1', 0.5)

    def test_verifier_tells_them_apart(self):
        passed = self.judge('hazards passed by stage 2', 0.95)
        rejected = self.judge('decoys rejected by stage 2', 0.90)
        self.assertGreater(passed['of'], 100)
        self.assertGreater(rejected['of'], 100)

    def test_stage_1_alone_does_not(self):
        rejected = self.line('decoys rejected by stage 2')['value']
        alone = self.line('decoys rejected', 'scene_stage1')
        single = self.line('decoys rejected where 0.95 of the hazards pass', 'scene_stage1')
        self.assertLess(alone['value'], rejected - 0.25)
        self.assertLess(single['value'], rejected - 0.25)

    def test_figures_are_counted_right(self):
        line = self.line('detector mAP50')
        for class_id, name in enumerate(('crack', 'pothole')):
            self.assertAlmostEqual(line[name], self.recount.precision(class_id), delta=1e-4)
            self.assertEqual(self.line(name, 'scene_recall')['of'], self.recount.labels[class_id])
        self.assertAlmostEqual(line['value'], (line['crack'] + line['pothole']) / 2, delta=1e-4)
        for kind in DECOYS:
            taken = self.line(kind, 'scene_taken')
            self.assertEqual((taken['count'], taken['of']), (self.recount.taken[kind], self.recount.decoys[kind]))
        hazards, listed = self.recount.through(('crack', 'pothole'))
        passed = self.line('hazards passed', 'scene_stage1')
        self.assertEqual((passed['count'], passed['of']), (hazards, listed))
        brief = self.line('hazards passed, seen too briefly', 'scene_stage2')
        self.assertEqual(self.line('hazards passed by stage 2')['of'] + brief['of'], hazards)
        decoys, listed = self.recount.through(DECOYS)
        rejected = self.line('decoys rejected', 'scene_stage1')
        self.assertEqual((rejected['count'], rejected['of']), (listed - decoys, listed))
        brief = self.line('decoys rejected, seen too briefly', 'scene_stage2')
        self.assertEqual(self.line('decoys rejected by stage 2')['of'] + brief['of'], decoys)

    def test_figures_are_those_of_the_shared_script(self):
        script = os.path.join(SHARED, 'bench/map.py')
        if not os.path.exists(script):
            print(f'waits for shared: {os.path.basename(__file__)}')
            self.assertNotEqual(os.environ.get('VEDETTE_REQUIRE_SHARED'), '1')
            return
        out = subprocess.run(['/usr/bin/python3', script, '--per-class', '--detections', self.found, '--truth',
                              self.truth], capture_output=True, text=True, check=True).stdout
        theirs, ours = json.loads(out), self.line('detector mAP50')
        self.assertAlmostEqual(ours['value'], theirs['mAP50'], delta=6e-5)
        self.assertAlmostEqual(ours['crack'], theirs['AP50']['0'], delta=1e-4)
        self.assertAlmostEqual(ours['pothole'], theirs['AP50']['1'], delta=1e-4)
        self.assertEqual(self.line('all decoys', 'scene_taken')['count'], theirs['decoys_detected'])
        self.assertEqual(self.line('all decoys', 'scene_taken')['of'], theirs['decoys'])


if __name__ == '__main__':
    unittest.main()
