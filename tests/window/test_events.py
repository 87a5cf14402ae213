"""The list of events: they come, their verdicts change in place, the operator judges; stage 2 says how it is."""
import os
import re
import shutil
import subprocess
import unittest.mock

import harness
import tiny_verifier
from harness import text_of


def told_of(picture):
    """The ids on a picture, each with its verdict or ''."""
    return re.findall(r' #(\d+) (?:([^;]+) )?at ', picture.text)


def settings(model, more=''):
    path = os.path.join(os.environ['HOME'], 'events.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'step2 = {{ model_path = "{model}"; temporal_size = 4; input_size = [ 32, 32 ]; {more} }};\n')
    return path


def model_path(name='green.onnx'):
    return os.path.join(os.environ['HOME'], name)


class Events(harness.WindowTest):
    def watch(self, configuration, source=None):
        """The window with its events shown. Of the clip's two things the bright one is verified, the red one not."""
        program = self.start('--config', configuration, '--model', 'builtin:motion',
                             source or harness.make_clip('gate.mp4', seconds=12))
        program.wait(lambda: program.picture().frame is not None, 'a picture', 20)
        program.key('e')
        program.wait(lambda: program.find('label', 'Events so far'), 'the page of events')
        return program

    def rows(self, program):
        found = program.find_all('list item')
        for row in found:
            row.clear_cache()
        return found

    def named(self, program, *words):
        """The rows whose words have all of these."""
        return [row for row in self.rows(program) if all(word in (row.get_name() or '') for word in words)]

    def wait_for_row(self, program, *words, seconds=20):
        return program.wait(lambda: self.named(program, *words), f'an event with {words}', seconds)[0]

    def says(self, program, name):
        label = program.find('label', name)
        return text_of(label) if label else ''

    def wait_to_say(self, program, name, words):
        program.wait(lambda: words in self.says(program, name), f'{name}: {words}, not {self.says(program, name)}')

    def test_a_verdict_changes_in_place(self):
        # A camera's clip takes its time, so that an event is seen to wait; things keep coming by.
        program = self.watch(settings(tiny_verifier.write(model_path())), 'demo:')
        row = self.wait_for_row(program, 'motion', '… pending', seconds=60)
        first = row.get_name()
        self.assertRegex(first, r'^motion, \d\d:\d\d:\d\d, confidence [01]\.\d\d, … pending$')

        def name():
            row.clear_cache()
            return row.get_name() or ''
        program.wait(lambda: 'pending' not in name(), 'the verdict in the very same row', 20)
        self.assertRegex(name(), r', (✓ verified|✕ rejected) [01]\.\d\d$')
        self.assertEqual(first.split(',')[:2], name().split(',')[:2])
        program.wait(lambda: re.search(r'#\d+ ', program.picture().text), 'a track with its id on the picture', 30)
        self.assertRegex(self.says(program, 'Verification'), r'^Verifying \d+ .*workers [12]/2$')
        self.assertEqual(program.notice(), '')

    def test_verdicts_of_both_kinds(self):
        program = self.watch(settings(tiny_verifier.write(model_path())))
        self.wait_for_row(program, '✓ verified')
        self.wait_for_row(program, '✕ rejected')
        harness.save_screen('events')

    def test_the_operator_judges(self):
        program = self.watch(settings(tiny_verifier.write(model_path())))
        self.wait_for_row(program, '✓ verified')
        self.wait_for_row(program, '✕ rejected')
        program.key('space')
        self.assertIn('C confirms', self.says(program, 'Precision and recall'))
        self.assertFalse(self.named(program, 'confirmed'), 'nothing is chosen yet')
        program.key('c')

        program.click(self.named(program, '✓ verified')[0])
        program.key('c')
        self.wait_for_row(program, '✓ verified', ', confirmed')
        self.wait_to_say(program, 'Events so far', '1 judged')
        program.click(self.named(program, '✕ rejected')[0])
        program.key('x')
        self.wait_for_row(program, '✕ rejected', ', false alarm')
        self.wait_to_say(program, 'Events so far', '2 judged')
        self.wait_to_say(program, 'Precision and recall', 'Precision 0.50 → 1.00 · recall 1.00')
        self.assertEqual(len(self.named(program, 'confirmed')), 1, 'the key at the start judged something')

        program.key('c')  # the other way
        self.wait_for_row(program, '✕ rejected', ', confirmed')
        self.wait_to_say(program, 'Precision and recall', 'Precision 1.00 → 1.00 · recall 0.50')
        program.click(program.get('push button', 'Confirm'))  # the same again takes it back
        program.wait(lambda: not self.named(program, '✕ rejected', 'confirmed'), 'it is taken back')
        self.wait_to_say(program, 'Events so far', '1 judged')

    def test_keys_go_from_event_to_event(self):
        program = self.watch(settings(tiny_verifier.write(model_path())))
        program.wait(lambda: len(self.rows(program)) >= 2 and not self.named(program, 'pending'), 'two events', 20)
        program.wait(lambda: program.picture().frame > 100, 'the clip goes on', 20)
        program.key('space')

        def chosen():
            return [row.get_name() for row in self.rows(program)
                    if row.get_state_set().contains(harness.Atspi.StateType.SELECTED)]
        self.assertEqual(chosen(), [])
        program.key('shift+Left')
        later = program.wait(chosen, 'an event is chosen')
        program.wait(lambda: program.picture().frame <= 100, 'the clip is where the event began')
        program.key('shift+Left')
        program.wait(lambda: chosen() and chosen() != later, 'the event before it')
        program.key('shift+Right')
        program.wait(lambda: chosen() == later, 'and back')
        frame = program.picture().frame
        program.key('Left')
        program.wait(lambda: program.picture().frame == frame - 1, 'without Shift it is one frame')

    def test_an_event_that_is_gone_to_shows_its_verdict(self):
        clip = os.path.join(os.environ['HOME'], 'road.mp4')
        cli = os.path.join(os.path.dirname(harness.PROGRAM), 'vedette-cli')
        subprocess.run([cli, 'demo', clip, '--frames', '240', '--seed', '2000012'], check=True,
                       capture_output=True, timeout=60 * harness.SLOW)
        program = self.start('--model', 'demo', clip)
        program.wait(lambda: program.picture().frame is not None, 'a picture', 20)
        program.key('e')
        told = {}  # the verdict of each id that was seen while the clip went on

        def watch():
            picture = program.picture()
            told.update((track, found) for track, found in told_of(picture) if found in ('verified', 'rejected'))
            return picture.frame == 239
        program.wait(watch, 'the end of the clip', 40)
        program.wait(lambda: not self.named(program, 'pending'), 'every verdict', 20)

        def chosen():  # its place among all rows: two may say the same
            return [(i, row.get_name()) for i, row in enumerate(program.find_all('list item', showing=False))
                    if row.get_state_set().contains(harness.Atspi.StateType.SELECTED)]
        before = chosen()
        for i in range(6):
            program.key('shift+Left')
            before = program.wait(lambda: chosen() != before and chosen(), 'the event before it')
            if i == 0:
                program.key('space')  # from here on each is a picture that stands still
            verdict = re.search(r'[✓✕] (verified|rejected)', before[0][1]).group(1)
            program.wait(lambda: verdict in [found for _, found in told_of(program.picture())],
                         f'on the picture: {before}', 3)
            ids = [track for track, _ in told_of(program.picture())]
            self.assertEqual(len(ids), len(set(ids)), program.picture())
            for track, found in told_of(program.picture()):
                self.assertEqual(told.get(track, found), found, program.picture())
        harness.save_screen('events-gone-to')

    def test_up_and_down_in_the_list(self):
        program = self.watch(settings(tiny_verifier.write(model_path())))
        program.wait(lambda: len(self.rows(program)) >= 3 and not self.named(program, 'pending'), 'three events', 30)
        program.key('space')

        def chosen():
            return [i for i, row in enumerate(self.rows(program))
                    if row.get_state_set().contains(harness.Atspi.StateType.SELECTED)]
        program.click(self.rows(program)[0])
        program.wait(lambda: chosen() == [0], 'the newest is chosen')
        program.key('Down', 'Down')
        program.wait(lambda: chosen() == [2], 'two older')
        program.key('Up')
        program.wait(lambda: chosen() == [1], 'one newer')
        program.key('x')
        program.wait(lambda: 'false alarm' in self.rows(program)[1].get_name(), 'a judgement from within the list')
        program.key('t')
        slider = program.get('slider', 'Confidence')
        self.assertAlmostEqual(harness.Atspi.Value.get_current_value(slider), 0.25, 3)

    def test_pages_and_panel(self):
        program = self.watch(settings(tiny_verifier.write(model_path())))
        program.key('t')
        program.wait(lambda: program.find('slider', 'Confidence') and not program.find('label', 'Events so far'),
                     'the page Tune')
        program.key('F9')
        program.wait(lambda: not program.find('slider', 'Confidence'), 'no panel')
        program.key('e')
        program.wait(lambda: program.find('label', 'Events so far'), 'the panel is back, with events')

    def test_degraded_and_back(self):
        path = model_path('late.onnx')
        program = self.watch(settings(path), 'demo:')
        sentence = program.wait(program.notice, 'a notice', 10)
        self.assertIn('degraded', sentence)
        self.assertIn('late.onnx', sentence)
        self.assertIn('degraded', self.says(program, 'Verification'))
        self.assertIn('late.onnx', self.says(program, 'Degraded'))
        row = self.wait_for_row(program, '? unverified: degraded', seconds=40)
        self.assertRegex(row.get_name(), r'^motion, \d\d:\d\d:\d\d, ')
        harness.save_screen('events-degraded')
        tiny_verifier.write(path + '.part')
        os.rename(path + '.part', path)
        program.wait(lambda: not program.notice(), 'the notice goes by itself', 30)
        self.assertRegex(self.says(program, 'Verification'), r'^Verifying \d+')
        self.assertEqual(self.says(program, 'Degraded'), '')

    def test_the_program_that_verifies_is_missing(self):
        alone = os.path.join(os.environ['HOME'], 'alone')
        shutil.copy2(harness.PROGRAM, alone)
        with unittest.mock.patch.object(harness, 'PROGRAM', alone):
            program = self.watch(settings(tiny_verifier.write(model_path())), 'demo:')
        sentence = program.wait(program.notice, 'a notice', 20)
        self.assertIn('degraded', sentence)
        self.assertIn('vedette-verifier', sentence)
        self.wait_for_row(program, '? unverified: degraded', seconds=40)
        self.assertLess(program.close(), 1 * harness.SLOW)

    def test_shadow_says_so(self):
        program = self.watch(settings(tiny_verifier.write(model_path()), 'shadow = true;'))
        self.wait_for_row(program, '✕ rejected', '· shadow')
        self.assertTrue([label for label in program.find_all('label') if text_of(label).startswith('Shadow:')])

    def test_without_stage_2(self):
        program = self.start('--model', 'builtin:motion', harness.make_clip('gate.mp4', seconds=6))
        program.wait(lambda: program.picture().frame is not None, 'a picture', 20)
        program.key('e')
        row = self.wait_for_row(program, 'motion')
        self.assertRegex(row.get_name(), r'^motion, \d\d:\d\d, confidence [01]\.\d\d$')
        self.assertEqual(self.says(program, 'Verification'), '')


if __name__ == '__main__':
    harness.main()
