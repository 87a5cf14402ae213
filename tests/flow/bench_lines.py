#!/usr/bin/python3
"""The lines of `vedette-cli bench`: their keys, what is judged, and the exit status that follows from it."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

CLI = os.path.abspath(sys.argv.pop(1))


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
        for arguments, words in [(['asink'], 'there is `async` and there is `engine`'), ([], 'bench NAME'),
                                 (['async', '--cases', 'sink'], 'did you mean sync?'),
                                 (['async', '--cases', 'sync', '--model', 'builtin:dogs'], 'builtin:people'),
                                 (['async', '--cases', 'sync', '--clip', '/no/such.mp4'], 'there is no file'),
                                 (['async', '--pairs', '0'], '1 to 99')]:
            status, lines, said = bench(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertIn(words.lower(), said.lower())

    def test_help(self):
        for arguments in ['--help'], ['async', '--help']:
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


if __name__ == '__main__':
    unittest.main()
