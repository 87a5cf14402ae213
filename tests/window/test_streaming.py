"""The switch of the streaming interface: on, watched by another program, off; a port that is taken."""
import os
import re
import socket
import sys
import threading

import harness
from harness import text_of

sys.path.insert(0, os.path.join(harness.ROOT, 'tests', 'flow'))
import raw_service  # noqa: E402


def settings(streaming):
    path = os.path.join(os.environ['HOME'], 'streaming.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'streaming = {{ {streaming} }};\n')
    return path


class Watcher:
    """Another program: what it hears of a camera, and whether it was told to go."""

    def __init__(self, port, name):
        self.messages, self.ended = [], False
        self.socket = raw_service.WebSocket(port, f'/stream/cameras/{name}', token=None)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            while True:
                self.messages.append(self.socket.receive_json())
        except (OSError, ValueError):
            self.socket.connection.close()
            self.ended = True

    def of_type(self, kind):
        return [message['data'] for message in list(self.messages) if message['type'] == kind]


class Streaming(harness.WindowTest):
    def watch(self, configuration, *arguments):
        program = self.start('--config', configuration, *arguments)
        program.wait(lambda: program.picture().frame is not None, 'a picture', 30)
        return program

    def press(self, accessible):
        """As a hand that sees what slides in: where it is when a click arrives does not matter."""
        self.assertTrue(harness.Atspi.Action.do_action(accessible, 0))

    def open_popover(self, program):
        self.press(program.get('toggle button', 'Menu'))
        self.press(program.get('push button', 'Streaming…'))
        return self.switch(program)

    def open_from_the_button(self, program):
        self.press(program.get(name='Streaming is on', seconds=30))
        return self.switch(program)

    def switch(self, program):
        return program.get('toggle button', 'Streaming')

    def is_on(self, switch):
        switch.clear_cache()
        return switch.get_state_set().contains(harness.Atspi.StateType.CHECKED)

    def says(self, program, name):
        """The words beside a name in the popover, '' when they are not shown."""
        found = [text_of(label) for label in program.find_all('label') if label.get_description() == name]
        return found[0] if found else ''

    def expect(self, program, name, words):
        program.wait(lambda: self.says(program, name) == words, f'{name}: {words}')

    def wait_for_address(self, program):
        address = program.wait(lambda: self.says(program, 'Address'), 'the address', 30)
        found = re.fullmatch(r'http://127\.0\.0\.1:(\d+)/', address)
        self.assertTrue(found, address)
        return int(found.group(1))

    def test_on_watched_and_off(self):
        program = self.watch(settings('port = 0;'), 'demo:')
        self.assertIsNone(program.find(name='Streaming is on'))
        switch = self.open_popover(program)
        program.wait(lambda: not self.is_on(switch), 'the switch is off')
        self.expect(program, 'Address', '')
        self.press(switch)
        port = self.wait_for_address(program)
        program.wait(lambda: self.is_on(switch), 'the switch is on')
        self.expect(program, 'Token', 'Not needed on this machine')
        self.expect(program, 'Camera', 'Demonstration')
        self.expect(program, 'Clients', 'Nobody is connected')
        self.expect(program, 'Quality', 'Full')
        cameras = raw_service.ask_json(port, 'GET', '/stream/cameras', token=None)
        self.assertIn('Demonstration', str(cameras))
        watcher = Watcher(port, 'Demonstration')
        self.expect(program, 'Clients', '1 program watches the camera')
        harness.save_screen('streaming')
        self.check_detections(program, watcher)
        self.check_verdicts(program, watcher)
        self.check_figures_of_stage_2(port)

        program.key('Escape')
        program.wait(lambda: not program.find('toggle button', 'Streaming'), 'the popover is gone')
        switch = self.open_from_the_button(program)
        self.press(switch)
        program.wait(lambda: watcher.ended, 'who watched is told')
        self.expect(program, 'Address', '')
        program.wait(lambda: not self.is_on(switch), 'the switch is off')
        with self.assertRaises(OSError):
            socket.create_connection(('127.0.0.1', port), 5).close()
        program.key('Escape')
        program.wait(lambda: not program.find(name='Streaming is on'), 'the header bar is as before')
        self.assertEqual(program.notice(), '')

    def check_detections(self, program, watcher):
        def seen():
            return [data for data in watcher.of_type('detections')
                    if data['detections'] and data['detections'][0].get('track_id')]
        program.wait(seen, 'detections with tracks', 60)
        self.assertEqual(watcher.messages[0]['type'], 'state')
        self.assertIn(watcher.of_type('state')[-1]['state'], ('connecting', 'playing'))
        data = seen()[0]
        self.assertEqual((data['width'], data['height']), (1280, 720))
        self.assertIn(data['detections'][0]['class_name'], ('crack', 'pothole'))
        x1, y1, x2, y2 = data['detections'][0]['bbox']
        self.assertTrue(0 <= x1 < x2 <= 1280 and 0 <= y1 < y2 <= 720, data)

    def check_verdicts(self, program, watcher):
        """An event that was told without a verdict is told again with one: the same event, a later revision."""
        def changed():
            before = {}
            for event in watcher.of_type('event'):
                if event['verdict'] in ('none', 'pending'):
                    before[event['id']] = event
                elif event['verdict'] in ('verified', 'rejected') and event['id'] in before:
                    return before[event['id']], event
            return None
        before, after = program.wait(changed, 'a verdict that comes later', 60)
        self.assertGreater(after['revision'], before['revision'])
        self.assertEqual((after['track_id'], after['class_name'], after['opened']),
                         (before['track_id'], before['class_name'], before['opened']))
        self.assertTrue(0 <= after['score'] <= 1)

    def check_figures_of_stage_2(self, port):
        figures = raw_service.ask_json(port, 'GET', '/stream/stats', token=None)['step2']
        self.assertEqual((figures['model'], figures['degraded']), ('road-verifier', False))
        self.assertGreaterEqual(figures['verified'] + figures['rejected'], 1)
        self.assertEqual(figures['submitted'], sum(figures[name] for name in (
            'verified', 'rejected', 'unverified', 'dropped', 'pending_requests')))

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            port = taken.getsockname()[1]
            program = self.watch(settings(f'enabled = true; port = {port};'), '--model', 'builtin:motion', 'demo:')
            said = program.wait(program.notice, 'the sentence above the picture', 30)
            self.assertIn(str(port), said)
            switch = self.open_popover(program)
            program.wait(lambda: not self.is_on(switch), 'the switch is off')
            why = program.wait(lambda: self.says(program, 'Why streaming is off'), 'the sentence in the popover')
            self.assertIn(str(port), why)
            harness.save_screen('streaming-failed')
        self.press(switch)  # the port is free now
        self.assertEqual(self.wait_for_address(program), port)

    def test_on_by_the_settings_and_closed_meanwhile(self):
        clip = harness.make_clip('gate.mp4', seconds=30)
        program = self.watch(settings('enabled = true; port = 0;'), '--model', 'builtin:motion', clip)
        self.open_from_the_button(program)
        port = self.wait_for_address(program)
        self.expect(program, 'Camera', 'gate.mp4')
        watcher = Watcher(port, 'gate.mp4')
        program.wait(lambda: watcher.of_type('detections'), 'detections', 20)
        self.assertLess(program.close(), 2 * harness.SLOW)
        harness.wait_until(lambda: watcher.ended, 'who watched is told')


if __name__ == '__main__':
    harness.main()
