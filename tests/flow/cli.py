#!/usr/bin/python3
"""vedette-cli: usage, settings, the common schema, limits, ends by signals and closed pipes."""
import json
import os
import re
import signal
import socket
import time

import cli_harness
from cli_harness import LIVE_SCENE, SCENE, CliTest


class Usage(CliTest):
    def test_version_and_help(self):
        out, error = self.run_cli('--version')
        self.assertRegex(out, r'^vedette-cli \d+\.\d+\.\d+\n$')
        self.assertEqual(error, '')
        for arguments in (('--help',), ('help',), ('-h',)):
            out, _ = self.run_cli(*arguments)
            for command in ('detect', 'record', 'check-model', 'demo'):
                self.assertIn(command, out)

    def test_help_of_commands(self):
        for command, word in (('detect', '--annotate OUT'), ('record', '--seconds N'), ('check-model', '--labels F'),
                              ('demo', '--truth FILE|-')):
            out, _ = self.run_cli('help', command)
            self.assertIn(word, out)
            self.assertEqual(self.run_cli(command, '--help')[0], out)
            self.assertTrue(all(len(line) <= 120 for line in out.splitlines()), out)

    def test_devices(self):
        out, error = self.run_cli('devices')
        self.assertEqual(error, '')
        for word in ('Cameras', 'Devices for --device', 'Hardware decoders'):
            self.assertIn(word, out)
        listed = json.loads(self.run_cli('devices', '--json')[0])
        self.assertEqual([device['name'] for device in listed['devices']], ['cpu', 'opencl', 'cuda', 'openvino'])
        self.assertTrue(listed['devices'][0]['available'])
        self.assertIn({'backend': 'OpenCV', 'target': 'CPU'}, listed['backends'])
        self.assertIn('fp32', listed['precisions'])
        for camera in listed['cameras']:
            self.assertRegex(camera['path'], r'^/dev/video\d+$')
        self.refuse('devices', 'x', words=['fewer arguments'])

    def test_wrong_requests(self):
        _, error = self.run_cli(status=2)
        self.assertIn('Usage', error)
        self.refuse('detct', words=['detct', 'did you mean `detect`?'])
        self.refuse('help', 'recrod', words=['did you mean `record`?'])
        self.refuse('zebra', words=['no command `zebra`'])
        self.refuse('detect', words=['more arguments', 'SOURCE'])
        self.refuse('detect', '--cnof', '1', 'x', words=['--cnof', 'did you mean --conf?'])
        self.refuse('detect', '--tracks', 'x', words=['no option --tracks', '--track?'])
        self.refuse('detect', '-c', 'x', words=['-c'])
        self.refuse('detect', 'x', '--conf', words=['--conf needs a value'])
        self.refuse('detect', '--conf', '--iou', '1', 'x', words=['--conf needs a value'])
        self.refuse('check-model', words=['more arguments'])
        self.refuse('check-model', 'a', 'b', words=['fewer arguments'])
        self.refuse('check-model', '--json=yes', 'b', words=['takes no value'])
        self.refuse('record', 'x', words=['--seconds'])
        self.refuse('record', 'x', 'y.mkv', '--seconds', '1', words=['y.mkv', '.mp4'])

    def test_values_out_of_range(self):
        for option, value, words in (('conf', '1.1', '0.0001 to 1'), ('conf', '0,5', '"0,5"'), ('conf', 'nan', 'nan'),
                                     ('conf', '', '0.0001 to 1'), ('iou', '-0.1', '0 to 1'), ('iou', '0x1', '0x1'),
                                     ('stride', '0', '1 to 1000'), ('stride', '1.5', 'a whole number'),
                                     ('stride', '99999999999999999999', '1 to 1000'), ('workers', '65', '1 to 64'),
                                     ('frames', '0', '1 to'), ('seconds', '-1', '0.001 to')):
            with self.subTest(option=option, value=value):
                self.refuse('detect', f'--{option}={value}', SCENE, words=[f'--{option}', words])

    def test_sources_that_are_none(self):
        self.refuse('detect', self.path('none.mp4'), words=['none.mp4'])
        self.refuse('detect', self.folder, words=['folder', '*.jpg'])
        self.refuse('detect', self.write('text.mp4', 'just words\n' * 100), words=['text.mp4'])
        self.refuse('detect', 'gopher://x/y', words=['gopher'])
        self.refuse('record', '--seconds', '1', self.path('none.mp4'), self.path('out.mp4'), words=['none.mp4'])
        self.assertFalse(os.path.exists(self.path('out.mp4')))
        error = self.refuse('detect', 'rtsp://eva:secret@127.0.0.1:1/x')
        self.assertNotIn('secret', error)

    def test_models_that_are_none(self):
        self.refuse('detect', '--model', 'none.onnx', SCENE, words=['none.onnx'])
        self.refuse('detect', '--model', 'builtin:cats', SCENE, SCENE, words=['builtin:cats'])
        self.refuse('check-model', self.write('text.onnx', 'no model'), words=['text.onnx'])
        self.refuse('check-model', 'builtin:cats', words=['builtin:people'])
        self.refuse('detect', '--classes', 'motoin', SCENE, words=['motoin', 'did you mean "motion"?'])

    def test_check_builtin(self):
        for name in ('builtin:people', 'builtin:motion'):
            self.assertTrue(self.run_cli('check-model', name)[0].startswith(name))
            self.assertEqual(json.loads(self.run_cli('check-model', '--json', name)[0])['name'], name)


class Settings(CliTest):
    def test_refusal_names_file_line_and_setting(self):
        bad = self.write('vedette.conf', 'theme = "dark";\ndetection = {\n  confidence = 1.5;\n};\n')
        error = self.refuse('detect', '--config', bad, SCENE)
        self.assertEqual(error, f'vedette-cli: {bad}:3: detection.confidence is 1.5; it must be 0.05 to 1.\n')
        self.refuse('detect', '--config', 'none.conf', SCENE, words=['none.conf', 'no such settings file'])

    def test_default_file(self):
        os.mkdir(self.path('home/vedette'))
        self.write('home/vedette/vedette.conf', 'colour = 1;\n')
        self.refuse('detect', '--frames', '1', SCENE, words=['vedette.conf:1', 'colour'])

    def test_camera_by_name_and_its_model(self):
        config = self.write('c.conf', f'cameras = ( {{ name = "Gate"; address = "{SCENE}"; model = "builtin:people"; }} );')
        line = self.detect('--config', config, '--frames', '1', 'Gate')[0]
        self.assertEqual((line['source'], line['model']), (SCENE, 'builtin:people'))
        line = self.detect('--config', config, '--frames', '1', '--model', 'builtin:motion', 'Gate')[0]
        self.assertEqual(line['model'], 'builtin:motion')

    def test_confidence_of_the_file_and_of_the_option(self):
        config = self.write('c.conf', 'detection = { confidence = 1.0; };')
        count = lambda lines: sum(len(line['detections']) for line in lines)
        everything = count(self.detect('--frames', '90', SCENE))
        self.assertGreater(everything, 0)
        self.assertLess(count(self.detect('--config', config, '--frames', '90', SCENE)), everything)
        self.assertEqual(count(self.detect('--config', config, '--conf', '0.25', '--frames', '90', SCENE)), everything)


class Lines(CliTest):
    def check_line(self, line):
        self.assertLessEqual({'source', 'frame', 'time', 'detections', 'timing_ms', 'model', 'width', 'height'}, set(line))
        self.assertEqual((line['width'], line['height']), (320, 180))
        self.assertEqual(set(line['timing_ms']), {'queue', 'preprocess', 'forward', 'decode'})
        scores = [found['confidence'] for found in line['detections']]
        self.assertEqual(scores, sorted(scores, reverse=True))
        for found in line['detections']:
            self.assertEqual(set(found), {'bbox', 'confidence', 'class_id', 'class_name'})
            x1, y1, x2, y2 = found['bbox']
            self.assertTrue(0 <= x1 < x2 <= 320 and 0 <= y1 < y2 <= 180, found)
            self.assertTrue(0.25 <= found['confidence'] <= 1)
            self.assertEqual(found['class_name'], 'motion')

    def test_schema(self):
        lines = self.detect('--frames', '120', SCENE)
        self.assertEqual([line['frame'] for line in lines], list(range(120)))
        for line in lines:
            self.check_line(line)
            self.assertAlmostEqual(line['time'], line['frame'] / 30, delta=0.0011)
            self.assertEqual((line['source'], line['model']), (SCENE, 'builtin:motion'))
        self.assertTrue(any(line['detections'] for line in lines), 'nothing moved')
        self.assertTrue(any(not line['detections'] for line in lines), 'no line for a frame without detections')

    def test_decimals_in_every_locale(self):
        self.environment.update(LC_ALL='de_DE.UTF-8', LANG='de_DE.UTF-8')
        out, _ = self.run_cli('detect', '--json', '-', '--frames', '90', SCENE)
        boxes = 0
        for line in out.splitlines():
            self.assertRegex(line, r'"time":\d+\.\d{3},')
            boxes += line.count('"bbox"')
            pattern = r'\{"bbox":\[(?:\d+\.\d\d,){3}\d+\.\d\d\],"confidence":\d\.\d{5},'
            self.assertEqual(len(re.findall(pattern, line)), line.count('"bbox"'), line)
        self.assertGreater(boxes, 0)

    def test_limits_and_stride(self):
        self.assertEqual(len(self.detect('--frames', '7', SCENE)), 7)
        self.assertEqual([line['frame'] for line in self.detect('--seconds', '0.5', SCENE)], list(range(15)))
        self.assertEqual([line['frame'] for line in self.detect('--frames', '10', '--stride', '4', SCENE)], [0, 4, 8])
        live = self.detect('--seconds', '0.5', LIVE_SCENE)
        self.assertTrue(live and all(line['time'] < 0.5 for line in live))
        frames = [line['frame'] for line in live]
        self.assertEqual(frames, sorted(set(frames)))

    def test_workers_keep_the_order(self):
        lines = self.detect('--model', 'builtin:people', '--workers', '3', '--frames', '24', SCENE)
        self.assertEqual([line['frame'] for line in lines], list(range(24)))

    def test_classes(self):
        self.assertTrue(any(line['detections'] for line in self.detect('--classes', ' Motion', '--frames', '90', SCENE)))

    def test_file_and_words(self):
        out, _ = self.run_cli('detect', '--json', 'lines.jsonl', '--frames', '90', SCENE)
        with open(self.path('lines.jsonl'), encoding='utf-8') as stream:
            lines = [json.loads(line) for line in stream]
        self.assertEqual(len(lines), 90)
        found = sum(len(line['detections']) for line in lines)
        self.assertIn('90 frames', out)
        self.assertRegex(out, rf'motion +{found} in \d+ frames')
        self.refuse('detect', '--json', 'none/lines.jsonl', '--frames', '1', SCENE, words=['none/lines.jsonl'])

    def test_one_bad_source_among_good_ones(self):
        out, error = self.run_cli('detect', '--json', '-', '--frames', '2', SCENE, 'none.mp4', SCENE, status=2)
        self.assertEqual(len(out.splitlines()), 4)
        self.assertEqual(error.count('\n'), 1)
        self.assertIn('none.mp4', error)


class SilentServer(CliTest):
    """A server that takes the connection and says nothing."""

    def setUp(self):
        super().setUp()
        self.server = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(self.server.close)
        self.address = f'rtsp://eva:secret@127.0.0.1:{self.server.getsockname()[1]}/x'

    def test_ends_in_one_sentence(self):
        config = self.write('c.conf', 'network = { open_timeout = 1; };')
        began = time.monotonic()
        error = self.refuse('detect', '--config', config, self.address, words=['***@127.0.0.1', 'answer'])
        self.assertNotIn('secret', error)
        self.assertTrue(1 <= time.monotonic() - began < 3 * cli_harness.SLOW)

    def test_interrupt_while_connecting(self):
        process = self.start('detect', self.address)
        connection, _ = self.server.accept()
        self.addCleanup(connection.close)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process, 5), (130, '', ''))
        self.assertLess(time.monotonic() - began, 1 * cli_harness.SLOW)


class Ends(CliTest):
    def read_first_line(self, process):
        line = process.stdout.readline()
        self.assertTrue(line.endswith(b'\n'), 'no first line')
        return line.decode()

    def test_interrupt(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start('detect', '--json', '-', LIVE_SCENE)
            first = self.read_first_line(process)
            process.send_signal(number)
            status, out, error = self.finish(process, 5)
            self.assertEqual(status, 130, error)
            self.assertEqual(error, '')
            self.assertTrue(out == '' or out.endswith('\n'))
            for line in (first + out).splitlines():
                json.loads(line)

    def test_reader_that_goes(self):
        process = self.start('detect', '--json', '-', LIVE_SCENE)
        self.read_first_line(process)
        process.stdout.close()
        error = process.stderr.read().decode()
        self.assertEqual(process.wait(10 * cli_harness.SLOW), 1)
        self.assertEqual(error, '')

    def test_full_disk(self):
        for arguments in (('detect', '--json', '-', '--frames', '5', SCENE), ('check-model', 'builtin:people')):
            with open('/dev/full', 'wb') as full:
                status, _, error = self.finish(self.start(*arguments, stdout=full))
            self.assertEqual(status, 1)
            self.assertEqual(error.count('\n'), 1, error)
            self.assertIn('No space left', error)
        _, error = self.run_cli('detect', '--json', '/dev/full', '--frames', '5', SCENE, status=1)
        self.assertIn('No space left', error)

    def test_no_progress_in_a_pipe(self):
        _, error = self.run_cli('detect', '--frames', '60', SCENE)
        self.assertEqual(error, '')


if __name__ == '__main__':
    cli_harness.main()
