#!/usr/bin/python3
"""The lines of `vedette-cli bench`: their keys, what is judged, and the exit status that follows from it."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

CLI = os.path.abspath(sys.argv.pop(1))
SHARED = os.environ.get('VEDETTE_SHARED', '../shared')


def bench(*arguments):
    done = subprocess.run([CLI, 'bench', *arguments], capture_output=True, text=True, timeout=200)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


class Lines(unittest.TestCase):
    def test_the_machine_comes_first_and_every_case_has_its_line(self):
        with tempfile.TemporaryDirectory() as folder:
            os.environ['TMPDIR'] = folder
            status, lines, said = bench('async', '--seconds', '0.2', '--model', 'builtin:motion', '--cases',
                                        'sync,async,batch,video')
            self.assertEqual(os.listdir(folder), [], 'rendered clips are taken away')
            del os.environ['TMPDIR']
        self.assertEqual(status, 0, said)
        self.assertEqual(lines[0]['bench'], 'machine')
        self.assertGreaterEqual(lines[0]['cores'], 1)
        self.assertTrue(lines[0]['opencv'] and lines[0]['ffmpeg'])
        self.assertEqual([line['case'] for line in lines[1:]],
                         ['sync', 'async_1', 'async_2', 'async_4', 'async_8', 'batch_1', 'batch_4', 'batch_16',
                          'batch_32', 'video'])
        for line in lines[1:]:
            self.assertGreater(line['value'], 0)
            self.assertLessEqual(line['p50'], line['p95'])
            self.assertLessEqual(line['p95'], line['p99'])
            self.assertGreater(line['peak_mb'], 1)
            self.assertGreater(line['cpu'], 0)
            self.assertEqual(line['failed'], 0)
            self.assertNotIn('holds', line)

    def test_five_files_play_at_once(self):
        status, lines, said = bench('async', '--model', 'builtin:motion', '--frames', '600', '--cases',
                                    'five_sources')
        self.assertEqual(status, 0, said)
        memory, growth = lines[1:]
        self.assertEqual(memory['sources'], 5)
        self.assertGreaterEqual(memory['frames'], 600)  # each file has 90, so all began again
        self.assertEqual(memory['failed'], 0)
        self.assertLess(memory['value'], 500)
        self.assertNotIn('holds', growth)  # too few frames to judge

    def test_what_few_pairs_say_is_not_judged(self):
        status, lines, said = bench('async', '--model', 'builtin:motion', '--pairs', '1', '--cases', 'overhead,pipeline')
        self.assertEqual(status, 0, said)
        self.assertIn('is no network', said)
        self.assertEqual([line['case'] for line in lines[1:]],
                         ['decode', 'letterbox', 'boxes', 'nms', 'hand_over', 'overhead'])
        self.assertNotIn('holds', lines[-1])
        self.assertEqual({line['bench'] for line in lines[1:-1]}, {'async_part'})
        self.assertAlmostEqual(sum(line['value'] for line in lines[1:-1]), lines[-1]['value'], places=3)

    def test_wrong_requests(self):
        for arguments, words in [(['asink'], 'there are `async`, `engine`, `scene`, `serve`, `track` and `verify`'), ([], 'bench NAME'),
                                 (['async', '--cases', 'sink'], 'did you mean sync?'),
                                 (['async', '--cases', 'sync', '--model', 'builtin:dogs'], 'builtin:people'),
                                 (['async', '--cases', 'sync', '--clip', '/no/such.mp4'], 'there is no file'),
                                 (['async', '--pairs', '0'], '1 to 99'), (['engine'], '--model M'), (['verify', '--workers', '9'], '1 to 8'),
                                 (['verify', '--scene', '--seeds', '1999999:1'], 'training looked at those below'),
                                 (['verify', '--detector', '/no/such.onnx'], 'such.onnx'), (['verify', '--cases', 'submits'], 'did you mean submit?'),
                                 (['serve', '--sessions', '1,x'], 'whole numbers from 1 to 64'), (['serve', '--cases', 'slow'], 'slowed'),
                                 (['serve', '--rate', '31'], '1 to 30'), (['serve', '--model', '/no/such.onnx'], 'such.onnx'),
                                 (['engine', '--model', 'builtin:people'], 'only networks'),
                                 (['engine', '--model', '/no/such.onnx'], 'such.onnx'),
                                 (['engine', '--model', 'a.onnx', '--precision', 'int8'], 'fp32 or bf16'),
                                 (['scene', '--seeds', '1999999:4'], 'training looked at those below'),
                                 (['scene', '--seeds', '2000000'], 'FIRST:COUNT'),
                                 (['scene', '--seeds', '2000000:0'], 'FIRST:COUNT'),
                                 (['scene', '--cases', 'modles'], 'did you mean models?'),
                                 (['scene', '--cases', 'models', '--detector', '/no/such.onnx', '--verifier', '/no/v.onnx'],
                                  'such.onnx')]:
            status, lines, said = bench(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertIn(words.lower(), said.lower())

    def test_a_network_layer_by_layer(self):
        model = os.path.join(SHARED, 'models/yolov8n-320.onnx')
        if not os.path.exists(model):
            print(f'waits for shared: {os.path.basename(__file__)}')
            self.assertNotEqual(os.environ.get('VEDETTE_REQUIRE_SHARED'), '1')
            return
        status, lines, said = bench('engine', '--model', model, '--pairs', '1', '--passes', '3', '--peers',
                                    '/no/such/folder')
        self.assertEqual(status, 0, said)
        self.assertEqual(lines[0]['bench'], 'machine')
        cases = [line for line in lines if line['bench'] == 'engine']
        ours, *peers = cases
        self.assertEqual(ours['case'], 'yolov8n-320 threads=1 fp32')
        self.assertIn('its own layers', ours['reference'])
        self.assertAlmostEqual(ours['ratio'], ours['reference_value'] / ours['value'], places=2)
        self.assertGreater(ours['forward_ms'], ours['decode_ms'])
        self.assertEqual([(peer['reference'], 'holds' in peer) for peer in peers],
                         [('opencv-python', False), ('onnxruntime', False)])
        self.assertTrue(all('there is no' in peer['note'] for peer in peers))
        layers = [line for line in lines if line['bench'] == 'engine_layer']
        self.assertGreater(len(layers), 50)
        self.assertEqual([layer['layer'] for layer in layers], list(range(len(layers))))
        self.assertAlmostEqual(sum(layer['share'] for layer in layers), 1, places=1)
        status, lines, said = bench('engine', '--model', model, '--pairs', '1', '--passes', '2', '--input', '352x320',
                                    '--precision', 'bf16', '--threads', '2', '--peers', '/no/such/folder')
        self.assertEqual(status, 0, said)
        notes = [line['note'] for line in lines if line['bench'] == 'engine' and 'note' in line]
        self.assertEqual(len(notes), 1)  # peers run the file at its own size, or there is no bf16
        self.assertTrue('own size' in notes[0] or 'bf16' in notes[0], notes)

    def test_a_moment_of_tracking(self):
        status, lines, said = bench('track')
        machine, line = lines
        self.assertEqual((machine['bench'], line['bench'], line['case']),
                         ('machine', 'track', '100 tracks, 100 detections'))
        self.assertEqual((line['unit'], line['bound'], line['tracks']), ('us', 1000, 100))
        self.assertLessEqual(line['p50'], line['p95'])
        self.assertEqual(line['holds'], line['value'] <= 1000)
        self.assertEqual(status, 0 if line['holds'] else 1, said)

    def test_rendering(self):
        status, lines, said = bench('scene', '--cases', 'render')
        self.assertEqual([line['case'] for line in lines[1:]],
                         ['render vehicle, day', 'render vehicle, night', 'render pole, day'], said)
        for line in lines[1:]:
            self.assertEqual((line['unit'], line['bound'], line['frames'], line['seeds']), ('frames/s', 60, 300, 3))
            self.assertEqual(line['holds'], line['value'] >= 60)
            self.assertAlmostEqual(1000 / line['value'], line['p50'], delta=line['p50'])
            self.assertGreater(line['cpu_ms'], 0.1)
        self.assertEqual(status, 0 if all(line['holds'] for line in lines[1:]) else 1)

    def test_help(self):
        for arguments in ['--help'], *([name, '--help'] for name in ('async', 'engine', 'scene', 'track', 'verify')):
            done = subprocess.run([CLI, 'bench', *arguments], capture_output=True, text=True, timeout=20)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertIn('Usage: vedette-cli bench', done.stdout)

    def test_detect_says_what_it_cost(self):
        done = subprocess.run([CLI, 'detect', '--stats', '-', '--batch', '4', '--frames', '10', 'demo:pace=free,size=320x180'],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        stats, = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((stats['frames'], stats['detected'], stats['failed'], stats['dropped']), (10, 10, 0, 0))
        ledger = stats['detector']
        self.assertEqual(ledger['submitted'], ledger['succeeded'])
        self.assertEqual(ledger['pending'], 0)
        self.assertEqual(stats['pool']['available'], stats['pool']['capacity'])
        self.assertGreater(stats['process']['cpu_s'], 0)
        self.assertGreaterEqual(stats['process']['peak_mb'], stats['process']['rss_mb'] - 1)
        self.assertGreater(stats['machine']['memory_mb'], 100)


class Times(unittest.TestCase):
    """Cases that are held to times: nothing else may run beside them."""

    def test_submits_are_judged_apart(self):
        status, lines, said = bench('async', '--seconds', '0.5', '--cases', 'submit')
        judged = {line['case']: line for line in lines[1:]}
        self.assertEqual(set(judged), {'submit', 'submit_refused'})
        self.assertGreater(judged['submit']['calls'], 100)
        self.assertGreater(judged['submit_refused']['calls'], 100, 'four workers of 10 ms take 400 a second')
        for line in judged.values():
            self.assertEqual(line['bound'], 50)
            self.assertEqual(line['holds'], line['p99'] <= 50)
        self.assertEqual(status, 0 if all(line['holds'] for line in judged.values()) else 1, said)

    def test_second_models(self):
        status, lines, said = bench('verify', '--pairs', '1', '--seconds', '0.5')
        self.assertIn(status, (0, 1), said)
        self.assertEqual([line['case'] for line in lines[1:]], ['three_at_once', 'submit', 'detection'])
        three, submit, detection = lines[1:]
        self.assertAlmostEqual(three['clip_ms'], 500, delta=50)
        self.assertAlmostEqual(three['one_worker_s'], 1.5, delta=0.3)
        self.assertAlmostEqual(three['value'], three['seconds'] / three['one_worker_s'], places=3)
        self.assertNotIn('holds', three)  # a pair is too few to judge
        self.assertGreater(submit['calls'], 900)
        self.assertEqual(status, 0 if submit['p99'] <= 50 else 1)
        self.assertEqual((detection['reference'], detection['workers']), ('without stage 2', 2))
        self.assertAlmostEqual(detection['ratio'], detection['value'] / detection['reference_value'], places=3)
        self.assertGreater(detection['ratio'], 0.5)
        self.assertNotIn('holds', detection)
        status, lines, said = bench('verify', '--pairs', '1', '--verifier', '/no/such.onnx')
        self.assertEqual(status, 1)
        self.assertIn('such.onnx', said)

    def test_events_of_the_demonstration(self):
        if not all(os.path.exists(f'resources/models/road-{name}.onnx') for name in ('detector', 'verifier')):
            self.skipTest('there are no trained models')
        status, lines, said = bench('verify', '--scene', '--seeds', '2000000:1', '--scene-seconds', '6')
        self.assertEqual(status, 0, said)
        of = {line['case']: line for line in lines[1:]}
        self.assertEqual({line['bench'] for line in lines[1:]}, {'verify_scene'})
        before, after, ledger = of['precision before stage 2'], of['precision after stage 2'], of['ledger']
        self.assertEqual((before['frames'], before['scene_s']), (180, 6))
        self.assertGreater(before['of'], 2, 'events')
        self.assertEqual(before['of'], of['hazards verified']['of'] + of['decoys rejected']['of'] +
                         of['events of nothing rejected']['of'])
        self.assertEqual(before['count'], of['hazards verified']['of'])
        self.assertEqual(before['of'] - after['of'], ledger['rejected'])
        self.assertGreaterEqual(after['count'], of['hazards verified']['count'])
        decoys = of['decoys rejected']
        kinds = [decoys[kind] for kind in ('shadow', 'wet patch', 'manhole cover', 'tar seam')]
        self.assertEqual([decoys['count'], decoys['of']], [sum(column) for column in zip(*kinds)])
        self.assertLessEqual(of['recall after stage 2']['count'], of['recall before stage 2']['count'])
        request, opened = of['delay from the request'], of['delay from the event']
        self.assertEqual(request['verdicts'], ledger['verified'] + ledger['rejected'])
        self.assertGreater(request['p50'], 1)
        self.assertGreaterEqual(opened['p99'], request['p99'])
        self.assertLess(opened['p50'] - request['p50'], 1600, 'a clip is 1.6 s long')
        self.assertGreater(of['time spent by stage 2']['busy_s'], 0)
        self.assertEqual(ledger['submitted'], sum(ledger[key] for key in ('verified', 'rejected', 'unverified',
                                                                          'dropped', 'pending')))
        self.assertTrue(ledger['holds'])

    def test_sessions_of_the_streaming_interface(self):
        status, lines, said = bench('serve', '--model', 'builtin:motion', '--seconds', '1.5', '--sessions', '1,10',
                                    '--cases', 'sessions')
        self.assertIn(status, (0, 1), said)
        of = {line['case']: line for line in lines[1:]}
        self.assertEqual(list(of), ['sessions_1', 'sessions_10', 'sessions_10_alike', 'sessions_10_memory',
                                    'answered_once'])
        self.assertEqual({line['bench'] for line in lines[1:]}, {'serve'})
        one, ten, answered = of['sessions_1'], of['sessions_10'], of['answered_once']
        self.assertEqual(one['holds'], one['p99'] <= 100)
        self.assertNotIn('holds', ten)
        for line, sessions in ((one, 1), (ten, 10)):
            self.assertEqual(line['value'], line['p99'])
            self.assertEqual((line['sessions'], line['rate'], line['failed']), (sessions, 10, 0))
            self.assertLess(0, line['p50'])
            self.assertLessEqual(line['least'], line['most'])
            self.assertLess(0, line['results_per_s'])
            self.assertLessEqual(line['results_per_s'], 10 * sessions * 1.2)
            self.assertGreater(line['peak_mb'], line['before_mb'])
            self.assertLess(5, line['picture_kb'])
        alike, memory = of['sessions_10_alike'], of['sessions_10_memory']
        self.assertAlmostEqual(alike['value'], ten['least'] / ten['most'], places=4)
        self.assertEqual((alike['holds'], memory['holds']), (alike['value'] >= 0.9, memory['value'] <= 150))
        self.assertEqual((answered['value'], answered['unanswered'], answered['doubled']), (0, 0, 0))
        self.assertAlmostEqual(answered['frames'], 25 + 250, delta=30)
        self.assertEqual(status, 0 if all(line.get('holds', True) for line in lines) else 1, said)

    def test_a_slowed_detector(self):
        if not os.path.exists('resources/models/road-detector.onnx'):
            self.skipTest('there is no trained model')
        status, lines, said = bench('serve', '--cases', 'slowed', '--seconds', '4')
        self.assertIn(status, (0, 1), said)
        of = {line['case']: line for line in lines[1:]}
        self.assertEqual(list(of), ['slowed_before', 'slowed', 'slowed_size', 'slowed_rate', 'slowed_after',
                                    'slowed_full_again', 'answered_once'])
        before, slowed, after = of['slowed_before'], of['slowed'], of['slowed_after']
        self.assertEqual(slowed['workers'], 1)
        self.assertGreater(slowed['rate'] * 10 * slowed['detect_ms'] * 4 / 1000, 1, 'more than it can do')
        self.assertGreater(slowed['level'], 0)
        self.assertLess(slowed['input'][0], before['input'][1])
        self.assertLess(slowed['fps'][0], slowed['rate'])
        self.assertEqual(slowed['holds'], slowed['p99'] <= 250)
        self.assertEqual(after['input'][1], before['input'][1])
        self.assertEqual(of['slowed_full_again']['holds'], of['slowed_full_again']['value'] <= 10)
        self.assertEqual(of['answered_once']['value'], 0)


if __name__ == '__main__':
    unittest.main()
