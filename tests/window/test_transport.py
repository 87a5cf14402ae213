"""Playing, pausing, stepping and winding a clip, by keyboard and by hand."""
import harness
from harness import Atspi, wait_until


class Transport(harness.WindowTest):
    def start_clip(self, seconds):
        program = self.start('--model', 'builtin:motion', harness.make_clip('clip.mp4', seconds=seconds))
        program.wait(lambda: (program.picture().frame or 0) > 5, 'the clip plays', 20)
        return program

    def pause(self, program):
        """Pauses by the space bar; the frame that stays."""
        program.key('space')
        last = [None]

        def stays():
            seen, last[0] = last[0], program.picture().frame
            return seen == last[0]
        wait_until(stays, 'the picture stays', 5, every=0.25)
        return last[0]

    def expect_frame(self, program, frame, what):
        wait_until(lambda: program.picture().frame == frame, f'{what}: frame {frame}', 5)

    def test_steps_go_by_one_frame_both_ways(self):
        program = self.start_clip(8)
        frame = self.pause(program)
        for keys, wanted in ((['Right'], 1), (['Right'], 2), (['Left'], 1), (['Left'], 0), (['Left'], -1)):
            program.key(*keys)
            self.expect_frame(program, frame + wanted, f'after {keys[0]}')
        program.get('push button', 'Next frame').do_action(0)
        self.expect_frame(program, frame, 'after the button')

    def test_a_frame_keeps_its_boxes_after_a_step_and_back(self):
        program = self.start_clip(8)
        program.wait(lambda: program.picture().frame > 40 and program.picture().boxes, 'boxes', 20)
        frame = self.pause(program) + 1
        # Both frames have had their boxes before they are compared.
        program.key('Right')
        self.expect_frame(program, frame, 'the next')
        program.wait(lambda: program.picture().boxes, 'boxes of the next frame')
        program.key('Left')
        self.expect_frame(program, frame - 1, 'back')
        program.key('Right')
        self.expect_frame(program, frame, 'there again')
        program.wait(lambda: len(program.picture().boxes) > 0, 'the frame has boxes again')

    def test_button_pauses_and_plays(self):
        program = self.start_clip(12)
        button = program.get('push button', 'Play or pause')
        button.do_action(0)
        last = [None]

        def stays():
            seen, last[0] = last[0], program.picture().frame
            return seen == last[0]
        wait_until(stays, 'the picture stays', 5, every=0.25)
        button.do_action(0)
        wait_until(lambda: program.picture().frame > last[0] + 5, 'the clip plays on', 5)

    def test_winding_shows_the_frame_of_that_time(self):
        program = self.start_clip(12)
        self.pause(program)
        slider = program.get('slider', 'Position')
        last = Atspi.Value.get_maximum_value(slider)
        Atspi.Value.set_current_value(slider, last * 0.75)
        wait_until(lambda: abs(program.picture().frame - 0.75 * 12 * 25) <= 2, 'a frame near 225', 5)
        Atspi.Value.set_current_value(slider, 0)
        self.expect_frame(program, 0, 'wound to the start')

    def test_after_the_end_space_plays_again(self):
        program = self.start_clip(3)
        program.wait(lambda: program.picture().frame == 74, 'the last frame', 15)
        program.key('space')
        program.wait(lambda: program.picture().frame < 60, 'the clip starts again')


if __name__ == '__main__':
    harness.main()
