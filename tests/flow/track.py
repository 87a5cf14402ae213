#!/usr/bin/python3
"""vedette-cli track: the common schema in and out, and what is wrong with either."""
import json

import cli_harness
from cli_harness import SCENE, CliTest


def frame(number, *boxes, **more):
    detections = [{'bbox': [x, 20, x + 40, 100], 'confidence': score, 'class_id': 2, 'class_name': 'cär "2"'}
                  for x, score in boxes]
    return {'frame': number, 'detections': detections, **more}


class Track(CliTest):
    def track(self, lines, *options):
        name = self.write('in.jsonl', ''.join(json.dumps(line) + '\n' for line in lines))
        out, _ = self.run_cli('track', '--detections', name, '--json', '-', *options)
        return [json.loads(line) for line in out.splitlines()]

    @staticmethod
    def ids(lines):
        return [[found.get('track_id') for found in line['detections']] for line in lines]

    def test_lines_come_back_with_ids_from_the_first_detection_on(self):
        lines = [frame(i, (100 + 2 * i, 0.9), *([(300, 0.2)] if i == 3 else []), time=i / 10, source='a b.mp4',
                       model='m', input=[320, 256], width=640, height=480, timing_ms={'forward': [1, {'x': None}]})
                 for i in range(10)]
        found = self.track(lines)
        self.assertEqual(self.ids(found), [[1]] * 10)
        for line, wanted in zip(found, lines):
            for key in ('frame', 'time', 'source', 'model', 'input', 'width', 'height'):
                self.assertEqual(line[key], wanted[key])
            for key in ('bbox', 'confidence', 'class_id', 'class_name'):
                self.assertEqual(line['detections'][0][key], wanted['detections'][0][key])

    def test_time_comes_from_time_else_from_frames(self):
        lines = [frame(i, (100, 0.9)) for i in range(10)]
        self.assertEqual(self.ids(self.track(lines, '--fps', '5')), [[1]] * 10)
        self.assertEqual([line['time'] for line in self.track(lines, '--fps', '5')], [i / 5 for i in range(10)])
        self.assertEqual(self.ids(self.track(lines, '--fps', '0.1')), [[None]] * 10)  # ten seconds apart
        timed = [{'time': i * 0.2, **frame(i, (100, 0.9))} for i in range(10)]
        self.assertEqual(self.ids(self.track(timed, '--fps', '0.1')), [[1]] * 10)
        every = self.track(timed, '--every', '3')
        self.assertEqual([line['frame'] for line in every], [0, 3, 6, 9])
        self.assertEqual(self.ids(every), [[1]] * 4)
        for line in timed:
            del line['frame']
        self.assertEqual([line['frame'] for line in self.track(timed)], list(range(10)))

    def test_the_confidence_is_what_starts_a_track(self):
        lines = [frame(i, (100, 0.4), (300, 0.9 if i < 3 else 0.15), time=i / 10) for i in range(6)]
        self.assertEqual(self.ids(self.track(lines)), [[1]] * 6)
        self.assertEqual(self.ids(self.track(lines, '--conf', '0.3')), [[2, 1]] * 6)

    def test_gaps_are_filled_and_say_so(self):
        lines = [frame(i, *([(100 + 2 * i, 0.9)] if i not in (4, 5) else []), time=i / 10) for i in range(10)]
        found = self.track(lines)
        self.assertEqual(self.ids(found), [[1]] * 10)
        self.assertEqual([line['detections'][0].get('interpolated', False) for line in found],
                         [i in (4, 5) for i in range(10)])
        self.assertEqual([line['detections'][0]['bbox'][0] for line in found], [100 + 2 * i for i in range(10)])
        self.assertEqual(self.ids(self.track(lines[:6])), [[1]] * 4 + [[], []])  # it never came back

    def test_another_source_begins_anew(self):
        lines = [frame(i, (100, 0.9), time=i / 10, source=name) for name in 'ab' for i in range(3)]
        self.assertEqual(self.ids(self.track(lines)), [[1]] * 3 + [[2]] * 3)

    def test_odd_numbers_are_no_objects(self):
        odd = frame(0, (100, 0.9), time=0)
        name = self.write('in.jsonl', json.dumps(odd).replace('100,', 'NaN,', 1) + '\n\n  \n' +
                          json.dumps({**odd, 'time': 0.1}).replace('0.9', '-Infinity') + '\n' +
                          json.dumps({**odd, 'time': 0.2}).replace('140', '-1e300') + '\n')
        out, _ = self.run_cli('track', '--detections', name, '--json', '-')
        self.assertEqual([json.loads(line)['detections'] for line in out.splitlines()], [[], [], []])

    def test_what_is_refused(self):
        self.refuse('track', words=['--detections FILE'])
        self.refuse('track', '--detections', 'none.jsonl', words=['none.jsonl'])
        name = self.write('in.jsonl', json.dumps(frame(0, (1, 0.9))))
        self.refuse('track', '--detections', name, words=['line 1', '--fps'])
        self.refuse('track', '--detections', self.write('in.jsonl', '{"detections":[]}'), '--fps', '5', words=['--fps'])
        self.refuse('track', '--detections', name, '--conf', '2', words=['0.0001 to 1'])
        good = json.dumps(frame(0, (1, 0.9), time=0))
        for wrong in ['[]', '{', good + ',', good[:-1], good.replace('[1,', '['), good.replace('0.9', '"x"'),
                      good.replace('"class_id": 2', '"class_id": -1'), good.replace('"class_id": 2', '"class_id": 1e9'),
                      good.replace('"time": 0', '"time": NaN'), good.replace('"frame": 0', '"frame": 0.5'),
                      good.replace('[{', '{').replace('}]', '}'), '{"a":' + '[' * 100 + ']' * 100 + '}', '{"a":"\\x"}',
                      '{"time":0,"detections":[' + ','.join(['{"bbox":[0,0,9,9],"confidence":1,"class_id":0}'] * 1025) +
                      ']}', good + '\0']:
            name = self.write('in.jsonl', good + '\n' + wrong + '\n')
            self.refuse_after_lines('track', '--detections', name, '--json', 'out.jsonl', words=['line 2'])

    def refuse_after_lines(self, *arguments, words):
        out, error = self.run_cli(*arguments, status=2)
        self.assertEqual((out, error.count('\n')), ('', 1))
        for word in words:
            self.assertIn(word, error)

    def test_detect_tracks(self):
        """Objects of the rendered scene keep their ids; without --track there are none."""
        plain = self.detect('--frames', '90', SCENE)
        tracked = self.detect('--frames', '90', '--track', SCENE)
        self.assertEqual(len(tracked), len(plain))
        self.assertEqual([line['frame'] for line in tracked], [line['frame'] for line in plain])
        self.assertEqual({found.get('track_id') for line in plain for found in line['detections']} - {None}, set())
        ids = [found['track_id'] for line in tracked for found in line['detections'] if 'track_id' in found]
        self.assertGreater(len(ids), 90)
        self.assertLess(len(set(ids)), len(ids) / 10)
        out, _ = self.run_cli('detect', '--frames', '90', '--track', '--annotate', 'out.mp4', SCENE)
        self.assertRegex(out, r'motion +\d+ in \d+ frames, \d+ track')


if __name__ == '__main__':
    cli_harness.main()
