"""`vedette-cli serve` with the settings' cameras: their list, their feeds over SSE and WebSocket, verdicts in place."""
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import raw_service
from serve_openapi import faults
from serve_running import Running
from streaming import WebSocket

PROGRAM = sys.argv.pop(1)
SLOW = float(os.environ.get('VEDETTE_TEST_SLOWNESS', '1'))


def wait_for(condition, what, seconds=60):
    deadline = time.monotonic() + seconds * SLOW
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f'waited {seconds * SLOW:g} s in vain: {what}')


class Stream:
    """The events of a camera as curl -N would print them."""

    def __init__(self, url, name):
        self.messages, self.ended = [], False
        self.answer = urllib.request.urlopen(f'{url}stream/cameras/{urllib.parse.quote(name)}/events', timeout=60 * SLOW)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            for line in self.answer:
                if line.startswith(b'data: '):
                    self.messages.append(json.loads(line[6:]))
        except OSError:
            pass
        self.ended = True

    def of_type(self, kind):
        return [message['data'] for message in list(self.messages) if message['type'] == kind]


class Cameras(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='vedette-cameras-')
        clip = os.path.join(cls.folder.name, 'gate.mp4')
        subprocess.run(['ffmpeg', '-v', 'error', '-f', 'lavfi', '-i',
                        'color=c=0x3a4a3a:s=320x240:r=15:d=6[a];color=c=0xd0c0b0:s=48x48:r=15:d=6[b];'
                        '[a][b]overlay=x=-40+60*t:y=90:shortest=1', '-pix_fmt', 'yuv420p', clip], check=True, timeout=60)
        settings = (f'playback = {{ loop = true; }};\ncameras = ( {{ name = "Road"; address = "demo:"; }},\n'
                    f' {{ name = "Tür 1"; address = "{clip}"; model = "builtin:motion"; }},\n'
                    ' { name = "Broken"; address = "/nowhere.mp4"; model = "builtin:motion"; } );\n')
        cls.server = Running(PROGRAM, '--model', 'builtin:motion', settings=settings)
        cls.server.__enter__()
        cls.url, cls.port = cls.server.url, urllib.parse.urlsplit(cls.server.url).port
        wait_for(lambda: len(cls.cameras()) == 3, 'all cameras are there')

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)
        cls.folder.cleanup()

    @classmethod
    def cameras(cls):
        with urllib.request.urlopen(cls.url + 'stream/cameras', timeout=20 * SLOW) as answer:
            return {camera['name']: camera for camera in json.load(answer)['cameras']}

    def test_they_are_listed_with_their_states(self):
        wait_for(lambda: self.cameras()['Road']['state'] == self.cameras()['Tür 1']['state'] == 'playing', 'they play')
        broken = wait_for(lambda: [c for c in [self.cameras()['Broken']] if c['state'] == 'failed'], 'Broken failed')[0]
        self.assertIn('/nowhere.mp4', broken['reason'])
        self.assertEqual(sorted(self.cameras()), ['Broken', 'Road', 'Tür 1'])
        self.assertTrue(any('Broken failed: ' in line for line in self.server.messages), self.server.messages)

    def test_a_failed_one_says_so_first(self):
        wait_for(lambda: self.cameras()['Broken']['state'] == 'failed', 'Broken failed')
        stream = Stream(self.url, 'Broken')
        first = wait_for(lambda: stream.messages, 'a message')[0]
        self.assertEqual((first['type'], first['camera'], first['data']['state']), ('state', 'Broken', 'failed'))
        self.assertIn('/nowhere.mp4', first['data']['reason'])

    def test_unknown_ones_are_not_found(self):
        for name in 'Nobody', 'road', 'Road%2f..', '..%2fRoad', '%00':
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f'{self.url}stream/cameras/{name}/events', timeout=20 * SLOW)
            self.assertIn(refused.exception.code, (400, 404), name)
            self.assertIn('error', json.load(refused.exception))
            refused.exception.close()
        with self.assertRaises(ConnectionError) as refused:
            raw_service.WebSocket(self.port, '/stream/cameras/Nobody', token=None)
        self.assertIn('404', str(refused.exception))

    def test_a_verdict_comes_to_all_who_watch(self):
        """Two watchers hear the same of an event: opened, later its verdict, each in its turn."""
        streams = [Stream(self.url, 'Road') for _ in range(2)]

        def changed(stream):
            before = set()
            for event in stream.of_type('event'):
                if event['verdict'] in ('none', 'pending'):
                    before.add(event['id'])
                elif event['verdict'] in ('verified', 'rejected') and event['id'] in before:
                    return event
            return None
        first = wait_for(lambda: changed(streams[0]), 'a verdict that comes later', 90)
        same = wait_for(lambda: [event for event in streams[1].of_type('event') if event['id'] == first['id']
                                 and event['revision'] == first['revision']], 'the other hears it as well')
        self.assertEqual(same[0], first)
        for stream in streams:
            revisions = {}
            for event in stream.of_type('event'):
                self.assertGreater(event['revision'], revisions.get(event['id'], 0))
                revisions[event['id']] = event['revision']

    def step2(self):
        """The figures of stage 2, as they are described."""
        _, _, stats = self.server.ask('GET', '/stream/stats')
        _, _, description = self.server.ask('GET', '/openapi.json')
        self.assertEqual(faults(description, description['components']['schemas']['Stats'], stats), [])
        return stats['step2']

    def test_stage_2_is_counted(self):
        wait_for(lambda: (self.step2() or {}).get('avg_processing_time', 0) > 0, 'a verdict of the second model', 90)
        figures = self.step2()
        self.assertEqual(figures['submitted'], sum(figures[name] for name in (
            'verified', 'rejected', 'unverified', 'dropped', 'pending_requests')))
        self.assertLessEqual(figures['workers_active'], figures['max_workers'])
        self.assertEqual((figures['model'], figures['degraded']), ('road-verifier', False))
        self.assertNotIn('degraded_why', figures)
        _, _, text = self.server.ask('GET', '/metrics')
        values = dict(re.findall(r'(?m)^vedette_step2_(\S+) (\S+)$', text.decode()))
        self.assertGreaterEqual(float(values['submitted_total']), figures['submitted'])
        self.assertEqual(float(values['submitted_total']), sum(float(values[f'requests{{state="{state}"}}']) for state in (
            'verified', 'rejected', 'unverified', 'dropped', 'pending')))
        self.assertGreater(float(values['avg_processing_seconds']), 0)
        self.assertEqual(values['degraded'], '0')

    def test_a_websocket_hears_of_every_frame(self):
        name = '/stream/cameras/' + urllib.parse.quote('Tür 1')
        watcher = raw_service.WebSocket(self.port, name, token=None)
        kinds, frames, seen = set(), [], None
        deadline = time.monotonic() + 60 * SLOW
        while time.monotonic() < deadline and (len(frames) < 60 or not seen or 'event' not in kinds):
            message = watcher.receive_json()
            self.assertEqual(message['camera'], 'Tür 1')
            if not kinds:
                self.assertEqual(message['type'], 'state')
            kinds.add(message['type'])
            if message['type'] == 'detections':
                frames.append(message['data']['frame'])
                seen = seen or next((d for d in message['data']['detections'] if d.get('track_id')), None)
        self.assertEqual(kinds, {'state', 'event', 'detections'})
        self.assertEqual(seen['class_name'], 'motion')
        self.assertEqual(self.cameras()['Tür 1']['watchers'], 1)
        watcher.connection.close()
        wait_for(lambda: self.cameras()['Tür 1']['watchers'] == 0, 'who went is not counted')
        self.assertEqual(self.cameras()['Tür 1']['dropped'], 0)

    def test_it_is_to_be_read_only(self):
        """What a client says is refused, under the frame's id where it has one."""
        with WebSocket(self.url, '/stream/cameras/Broken') as watcher:
            self.assertEqual(watcher.receive()['type'], 'state')
            for message, frame_id in (({'type': 'config', 'config': {}}, None), ({'type': 'next', 'frame_id': 'a'}, 'a'),
                                      ({'type': 'frame', 'frame_id': 3, 'image_data': 'Zm9v'}, 3), (b'picture', None)):
                watcher.send(message) if isinstance(message, dict) else watcher.send_picture(message)
                self.assertEqual(watcher.receive(), {'type': 'error', 'frame_id': frame_id,
                                                     'error': "A camera's messages are to be read only."})


if __name__ == '__main__':
    unittest.main(verbosity=2)
