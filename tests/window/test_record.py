"""R, and R again, leave a file that plays, and the window names it."""
import glob
import os
import time

import harness


class Record(harness.WindowTest):
    def recordings(self):
        return glob.glob(os.path.join(os.environ['HOME'], 'Videos', 'Vedette', '*.mp4'))

    def test_key_r_twice(self):
        program = self.start('demo:')
        program.wait(lambda: program.picture().boxes, 'boxes in the demonstration', 20)
        began = time.monotonic()
        program.key('r')
        path = program.wait(lambda: (self.recordings() or [None])[0], 'a recording appears', 10)
        program.wait(lambda: time.monotonic() - began > 3, 'three seconds of recording')
        program.key('r')
        name = os.path.basename(path)
        program.wait(lambda: name in program.notice(), 'the notice names the file', 10)
        harness.save_screen('recorded')
        probed = harness.probe(path)
        self.assertEqual(probed['codec_name'], 'h264')
        self.assertGreater(int(probed['nb_read_frames']), 20)
        self.assertEqual((probed['width'], probed['height']), ('1280', '720'))
        self.assertFalse(glob.glob(os.path.join(os.path.dirname(path), '*.part')))
        before = program.picture().frame
        program.wait(lambda: program.picture().frame > before, 'the picture goes on')

    def test_closing_ends_a_recording(self):
        program = self.start('demo:')
        program.wait(lambda: program.picture().frame is not None, 'a picture', 20)
        program.key('r')
        path = program.wait(lambda: (self.recordings() or [None])[0], 'a recording appears', 10)
        program.close()
        self.assertGreater(int(harness.probe(path)['nb_read_frames']), 1)


if __name__ == '__main__':
    harness.main()
