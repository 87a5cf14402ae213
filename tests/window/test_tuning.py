"""Sliders act on the frame on screen, at once, without a forward pass."""
import re
import time

import harness
from harness import Atspi, shared, text_of, wait_until


def checked_per_s(program):
    """What the status line says of detection."""
    for label in program.find_all('label'):
        match = re.search(r'Checked\s*([\d.]+)', text_of(label))
        if match:
            return float(match.group(1))
    return None


class Tuning(harness.WindowTest):
    def wait_for_rest(self, program):
        """Until no detection has ended for 2 s: the line is renewed twice a second, so it must say so for longer."""
        since = [None]

        def rests():
            now = time.monotonic()
            if checked_per_s(program) != 0:
                since[0] = None
            elif since[0] is None:
                since[0] = now
            return since[0] is not None and now - since[0] > 1.2
        program.wait(rests, 'detection rests while the clip is paused', 20)

    def pause_with_boxes(self, program, wanted, what):
        """Plays until a frame has the boxes wanted, pauses, and waits until detection rests."""
        program.wait(lambda: (checked_per_s(program) or 0) > 0, 'the status line speaks of detection', 20)
        program.wait(lambda: wanted(program.picture()), what, 60)
        program.key('space')
        self.wait_for_rest(program)
        for _ in range(60):
            if wanted(program.picture()):
                self.wait_for_rest(program)
                return program.picture()
            before = program.picture().frame
            program.key('Right')
            program.wait(lambda: program.picture().frame != before, 'the next frame')
            wait_until(lambda: wanted(program.picture()) or self.settled(program), 'the frame has its boxes', 5)
        raise AssertionError('no such frame: ' + what)

    def settled(self, program, seconds=0.3):
        """Whether the picture's words stay the same for a moment."""
        words, began = program.picture().text, time.monotonic()
        while time.monotonic() - began < seconds:
            if program.picture().text != words:
                return False
        return True

    def confidence(self, program):
        slider = program.get('slider', 'Confidence')
        slider.clear_cache()
        return harness.Atspi.Value.get_current_value(slider)

    def raise_confidence(self, program, last):
        """Presses Up to `last`; the milliseconds from each key that takes boxes away until the words say so.

        What a track reached at its best counts for its weaker moments as well, so a box with an id may stay longer
        than its own score says; one without may not, and none goes before."""
        took = []
        frame = program.picture().frame
        value = self.confidence(program)
        while value < last - 0.005:
            value = round(value + 0.01, 2)
            before = program.picture()
            # Words have two decimals: within half of one it is open whether a box goes.
            may_go = any(score < value + 0.0051 for _, score, _ in before.boxes)
            began = time.monotonic()
            program.key('Up')
            while may_go and program.picture().boxes == before.boxes and time.monotonic() - began < 0.15 * harness.SLOW:
                pass
            after = program.picture()
            if after.boxes != before.boxes:
                took.append((time.monotonic() - began) * 1000)
            self.assertTrue(all(box in before.boxes for box in after.boxes), 'a box came')
            self.assertTrue(all(box in after.boxes for box in before.boxes if box[1] > value + 0.0051), 'one too many')
            wait_until(lambda: abs(self.confidence(program) - value) < 0.001, f'the slider stands at {value}', 5)
            for score in re.findall(r'(\d\.\d\d) at', program.picture().text):  # without an id
                self.assertGreater(float(score), value - 0.0051, f'boxes under {value} stay')
            self.assertEqual(program.picture().frame, frame, 'the picture has moved on')
            self.assertEqual(checked_per_s(program), 0, 'a forward pass took place')
        return took

    def tune(self, program, paused, last):
        took = self.raise_confidence(program, last)
        self.assertLess(len(program.picture().boxes), len(paused.boxes))
        print(f'boxes went {len(took)} times, after {", ".join(f"{ms:.0f}" for ms in took)} ms')
        self.assertLessEqual(sorted(took)[len(took) // 2], 100 * harness.SLOW)
        slider = program.get('slider', 'Confidence')
        harness.Atspi.Value.set_current_value(slider, 0.25)
        wait_until(lambda: program.picture().boxes == paused.boxes, 'all boxes are back', 5)
        self.assertEqual(program.picture().frame, paused.frame)
        self.assertEqual(checked_per_s(program), 0, 'a forward pass took place')

    def test_confidence_with_a_model(self):
        clip, model = shared('clips/person-bicycle-car-detection.mp4', 'models/yolov8n-320.onnx')
        program = self.start('--model', model, clip)

        def wanted(picture):
            scores = [score for _, score, _ in picture.boxes]
            return any(0.3 < score < 0.58 for score in scores)
        paused = self.pause_with_boxes(program, wanted, 'a frame with a box between 0.3 and 0.58')
        self.assertAlmostEqual(self.confidence(program), 0.25, 3)
        self.tune(program, paused, 0.97)

    def test_confidence_without_a_model(self):
        program = self.start('--model', 'builtin:motion', harness.make_clip('squares.mp4', seconds=12))
        paused = self.pause_with_boxes(program, lambda picture: len(picture.boxes) >= 2, 'a frame with two boxes')
        self.assertGreater(min(score for _, score, _ in paused.boxes), 0.25)
        self.tune(program, paused, 0.97)

    def test_every_slider_has_a_name(self):
        program = self.start('demo:')
        for name in ('Confidence', 'Overlap'):
            slider = program.get('slider', name)
            self.assertIn('Value', slider.get_interfaces())
            self.assertTrue(slider.get_state_set().contains(Atspi.StateType.FOCUSABLE), name)


if __name__ == '__main__':
    harness.main()
