#!/usr/bin/python3
"""Tracks on the demonstration, of which every box is known: on its true boxes, a tenth of them dropped and the others
shaken by 3 %, at 30 and at 5 frames a second; and, only printed, on what the trained detector finds. Counted here,
and by ../shared/bench/mot.py where that is."""
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import unittest

import cli_harness
from cli_harness import ROOT, SHARED, SLOW, CliTest

MOT = os.path.join(SHARED, 'bench/mot.py')
DETECTOR = os.path.join(ROOT, 'resources/models/road-detector.onnx')
# Seeds that training never looked at, and scenes on which nothing is hidden for longer than tracks live (lost, 1.0 s).
# From the pole, traffic often hides what lies still for longer: on 6 of the 20 seeds from 2000001 on, where each of the
# 8 switches at 30 frames a second, and each of the 9 at 5, comes after such a gap of 1.03 s or more. HIDDEN is one of
# these: 0.892 and 0.889, where a tracker that errs in nothing else comes to 0.898 and 0.897; it is held to the bounds
# with a new identity after each such gap.
SCENES = {2000001: ('vehicle',), 2000003: ('vehicle', '--night'), 2000004: ('pole', '--night'), 2000006: ('pole',)}
HIDDEN, LOST_S = 2000012, 1.0
FRAMES, RATE, DROPPED, JITTER, SEED = 600, 30, 0.10, 0.03, 17
LEAST_IDF1 = {1: 0.95, 6: 0.85}  # by how many of the 30 frames a second are looked at: every one, every sixth


def overlap(a, b):
    common = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return common / max(area(a) + area(b) - common, 1e-9)


def assign(gain):
    """Rows to columns, one to one, with the largest sum (Kuhn 1955, by shortest augmenting paths): list of pairs."""
    rows, columns = len(gain), len(gain[0]) if gain else 0
    if rows > columns:
        return [(r, c) for c, r in assign([list(column) for column in zip(*gain)])]
    u, v, owner = [0.0] * (rows + 1), [0.0] * (columns + 1), [0] * (columns + 1)
    for row in range(1, rows + 1):
        owner[0], at = row, 0
        least, before, done = [math.inf] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        while owner[at]:
            done[at] = True
            step, following = math.inf, 0
            for c in range(1, columns + 1):
                if done[c]:
                    continue
                cost = -gain[owner[at] - 1][c - 1] - u[owner[at]] - v[c]
                if cost < least[c]:
                    least[c], before[c] = cost, at
                if least[c] < step:
                    step, following = least[c], c
            for c in range(columns + 1):
                if done[c]:
                    u[owner[c]] += step
                    v[c] -= step
                else:
                    least[c] -= step
            at = following
        while at:
            owner[at] = owner[before[at]]
            at = before[at]
    return [(owner[c] - 1, c - 1) for c in range(1, columns + 1) if owner[c]]


def off_decoys(boxes, line):
    """Without those that lie on a decoy and on nothing else: the scene's decoys are told apart by stage 2."""
    return [one for one in boxes if any(overlap(one['bbox'], true['bbox']) >= 0.5 for true in line['detections'])
            or not any(overlap(one['bbox'], decoy['bbox']) >= 0.5 for decoy in line.get('decoys', ()))]


def figures(truth, tracks, every):
    """IDF1 (Ristani et al. 2016), and which object changed its id when; CLEAR MOT's misses and false boxes."""
    lines = {line['frame']: line for line in tracks}
    together, true_count, track_count, last, switches = {}, {}, {}, {}, []
    misses = false = 0
    for line in truth:
        if line['frame'] % every:
            continue
        there = line['detections']
        seen = [one for one in lines.get(line['frame'], {}).get('detections', []) if 'track_id' in one]
        seen = off_decoys(seen, line)
        for one in there:
            true_count[one['track_id']] = true_count.get(one['track_id'], 0) + 1
        for one in seen:
            track_count[one['track_id']] = track_count.get(one['track_id'], 0) + 1
        gain = [[0.0] * len(seen) for _ in there]
        for r, one in enumerate(there):
            for c, other in enumerate(seen):
                value = overlap(one['bbox'], other['bbox'])
                if value < 0.5:
                    continue
                pair = one['track_id'], other['track_id']
                together[pair] = together.get(pair, 0) + 1
                gain[r][c] = 1e3 + (10 if last.get(pair[0]) == pair[1] else value)  # kept while they overlap
        matched = [(r, c) for r, c in assign(gain) if gain[r][c] > 0] if there and seen else []
        misses, false = misses + len(there) - len(matched), false + len(seen) - len(matched)
        for r, c in matched:
            name, now = there[r]['track_id'], seen[c]['track_id']
            if last.get(name, now) != now:
                switches.append(f"{line['time']:.1f} s: object {name} {last[name]} > {now}")
            last[name] = now
    objects, ids = sorted(true_count), sorted(track_count)
    gain = [[float(together.get((i, j), 0)) for j in ids] for i in objects]
    shared = sum(gain[r][c] for r, c in assign(gain)) if objects and ids else 0
    boxes = sum(true_count.values())
    return {'IDF1': 2 * shared / max(boxes + sum(track_count.values()), 1),
            'MOTA': 1 - (misses + false + len(switches)) / max(boxes, 1), 'id_switches': len(switches),
            'identities': len(objects), 'tracks': len(ids), 'switches': switches}


def shaken(truth):
    """The true boxes as a detector with known faults would give them; the same ones on every run."""
    chance = random.Random(SEED)
    lines = []
    for line in truth:
        found = []
        for one in line['detections']:
            x1, y1, x2, y2 = one['bbox']
            off = [chance.gauss(0, JITTER) for _ in range(4)]
            box = [x1 + off[0] * (x2 - x1), y1 + off[1] * (y2 - y1), x2 + off[2] * (x2 - x1), y2 + off[3] * (y2 - y1)]
            if chance.random() >= DROPPED:
                found.append({key: one[key] for key in ('class_id', 'class_name')} |
                             {'bbox': [round(v, 2) for v in box], 'confidence': 0.9})
        lines.append({key: line[key] for key in ('source', 'frame', 'time', 'width', 'height')} | {'detections': found})
    return lines


def lives(truth, every):
    """The truth, in which an object that was not there for longer than LOST_S is another one afterwards."""
    seen, names, lines = {}, {}, []
    for line in truth:
        there = []
        for one in line['detections'] if line['frame'] % every == 0 else ():
            name = one['track_id']
            if name not in seen or line['time'] - seen[name] > LOST_S + 1e-6:
                names[name] = len(lines) * 1000 + len(there) + 1
            seen[name] = line['time']
            there.append(one | {'track_id': names[name]})
        lines.append(line | {'detections': there})
    return lines


class Scene(CliTest):
    @classmethod
    def setUpClass(cls):
        cls.clips = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.clips.cleanup)

    @staticmethod
    def read(path):
        with open(path, encoding='utf-8') as stream:
            return [json.loads(line) for line in stream]

    def judge(self, truth_path, every, what):
        """Counts out.jsonl, and has it counted by mot.py."""
        out = figures(self.read(truth_path), self.read(self.path('out.jsonl')), every)
        print(f"  {what}, {RATE // every} a second: IDF1 {out['IDF1']:.3f}, MOTA {out['MOTA']:.3f}, "
              f"{out['identities']} objects, {out['tracks']} tracks, {out['id_switches']} switches"
              + ''.join(f'\n    {one}' for one in out['switches']))
        if os.path.exists(MOT):
            done = subprocess.run(['/usr/bin/python3', MOT, '--truth', truth_path, '--tracks', self.path('out.jsonl'),
                                   '--every', str(every)], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            theirs = json.loads(done.stdout)
            self.assertAlmostEqual(theirs['IDF1'], out['IDF1'], delta=1e-4)
            self.assertEqual((theirs['identities'], theirs['tracks']), (out['identities'], out['tracks']))
            self.assertLessEqual(abs(theirs['id_switches'] - out['id_switches']), 1)  # equal overlaps, other choices
        return out

    def clip(self, seed):
        """A clip of a scene, rendered once, and its truth: their paths, and what it is."""
        view, *night = SCENES.get(seed, ('pole',))
        path, truth = (os.path.join(self.clips.name, f'{seed}.{kind}') for kind in ('mp4', 'jsonl'))
        if not os.path.exists(path):
            self.run_cli('demo', path, '--frames', str(FRAMES), '--seed', str(seed), '--size', '640x360', '--fps',
                         str(RATE), '--view', view, *night, '--truth', truth, seconds=240)
        return path, truth, f"seed {seed}, {view}, {'night' if night else 'day'}"

    def test_true_boxes_shaken(self):
        for seed in SCENES:
            _, truth, name = self.clip(seed)
            boxes = self.write('boxes.jsonl', ''.join(json.dumps(line) + '\n' for line in shaken(self.read(truth))))
            for every, least in LEAST_IDF1.items():
                self.run_cli('track', '--detections', boxes, '--every', str(every), '--json', 'out.jsonl')
                out = self.judge(truth, every, name)
                self.assertGreaterEqual(out['identities'], 3, 'a scene with nothing on it shows nothing')
                self.assertGreaterEqual(out['IDF1'], least, name)

    def test_hidden_for_longer_than_tracks_live(self):
        _, truth, name = self.clip(HIDDEN)
        lines = self.read(truth)
        boxes = self.write('boxes.jsonl', ''.join(json.dumps(line) + '\n' for line in shaken(lines)))
        for every, least in LEAST_IDF1.items():
            split = self.write('split.jsonl', ''.join(json.dumps(line) + '\n' for line in lives(lines, every)))
            self.run_cli('track', '--detections', boxes, '--every', str(every), '--json', 'out.jsonl')
            whole, out = self.judge(truth, every, name), self.judge(split, every, f'{name}, split')
            self.assertEqual(out['identities'], whole['identities'] + 1)
            self.assertEqual((whole['id_switches'], out['id_switches']), (1, 0))
            self.assertGreaterEqual(out['IDF1'], least, name)

    @unittest.skipUnless(os.path.exists(DETECTOR), 'there is no trained detector')
    def test_trained_detector(self):
        """Printed, and held to what no tracker that works falls under."""
        for seed in (2000001, 2000004):
            path, truth, name = self.clip(seed)
            self.run_cli('detect', '--model', DETECTOR, '--conf', '0.1', '--json', 'found.jsonl', path,
                         seconds=240 * SLOW)
            for every in LEAST_IDF1:
                self.run_cli('track', '--detections', 'found.jsonl', '--conf', '0.25', '--every', str(every), '--json',
                             'out.jsonl')
                out = self.judge(truth, every, f'{name}, detected')
                self.assertGreater(out['IDF1'], 0.3, name)


if __name__ == '__main__':
    cli_harness.main()
