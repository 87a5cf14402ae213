#!/usr/bin/python3
"""Tracks on real clips: the figures of a clip with labelled people beside those of ByteTrack by its authors, and
people who are counted as they cross a room."""
import json
import os
import re
import subprocess
import sys

import cli_harness
from cli_harness import SHARED, CliTest

MODEL = os.path.join(SHARED, 'models/yolov8n-320.onnx')
MOT = os.path.join(SHARED, 'clips/mot')
CLIP = os.path.join(SHARED, 'clips/one-by-one-person.mp4')


def theirs():
    """{every: (IDF1, MOTA)} of the clips' README."""
    with open(os.path.join(SHARED, 'clips/README.md'), encoding='utf-8') as stream:
        rows = re.findall(r'^\| every(?: (\d)\w\w)? \| (0\.\d+) \| (0\.\d+) \|', stream.read(), re.M)
    return {int(every or 1): (float(idf1), float(mota)) for every, idf1, mota in rows}


class Figures(CliTest):
    def figures(self, every):
        self.run_cli('track', '--detections', os.path.join(MOT, 'tud-campus.detections.jsonl'), '--every', str(every),
                     '--json', 'out.jsonl')
        out = subprocess.run(['/usr/bin/python3', os.path.join(SHARED, 'bench/mot.py'), '--truth',
                              os.path.join(MOT, 'gt.txt'), '--tracks', self.path('out.jsonl'), '--every', str(every)],
                             capture_output=True, text=True, check=False)
        self.assertEqual(out.returncode, 0, out.stderr)
        figures = json.loads(out.stdout)
        print(f"  every {every}: IDF1 {figures['IDF1']:.3f}, MOTA {figures['MOTA']:.3f}, switches "
              f"{figures['id_switches']}, tracks {figures['tracks']}; theirs {theirs()[every]}")
        return figures

    def test_no_worse_than_bytetrack(self):
        for every in (1, 2):
            figures = self.figures(every)
            self.assertGreaterEqual(figures['IDF1'], theirs()[every][0])
            self.assertGreaterEqual(figures['MOTA'], theirs()[every][1])

    def test_better_at_five_frames_a_second(self):
        figures = self.figures(5)
        self.assertGreaterEqual(figures['IDF1'], 0.65)
        self.assertGreater(figures['MOTA'], theirs()[5][1])

    def test_one_id_for_each_person_who_crosses(self):
        lines = self.detect('--track', '--model', MODEL, '--classes', 'person', CLIP)
        with open(os.path.join(SHARED, 'clips/expected.json'), encoding='utf-8') as stream:
            people = [(thing['in'], thing['out']) for thing in self.objects(json.load(stream))]
        self.assertEqual(len(people), 3)
        ids = {}
        for line in lines:
            for found in line['detections']:
                if 'track_id' in found:
                    ids.setdefault(found['track_id'], []).append(line['time'])
        print('  ' + ', '.join(f'{i}: {times[0]:.1f} to {times[-1]:.1f} s' for i, times in ids.items()))
        self.assertLessEqual(abs(len(ids) - len(people)), 1)
        for begin, end in people:
            main = [times for times in ids.values() if begin - 0.5 < times[0] and times[-1] < end + 0.5]
            self.assertEqual(len(main), 1, f'{begin} to {end} s')
            self.assertGreater(main[0][-1] - main[0][0], 0.8 * (end - begin))

    @staticmethod
    def objects(expected):
        rows = expected if isinstance(expected, list) else expected.get('clips', expected)
        if isinstance(rows, dict):
            return rows[os.path.basename(CLIP)]['objects']
        return next(row['objects'] for row in rows if row['file'] == os.path.basename(CLIP))


if __name__ == '__main__':
    if not all(map(os.path.exists, (MODEL, MOT, CLIP))):
        print(f'waits for shared: {os.path.basename(__file__)}')
        sys.exit(os.environ.get('VEDETTE_REQUIRE_SHARED') == '1')
    cli_harness.main()
