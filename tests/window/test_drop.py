"""A file dropped on the window opens."""
import os
import pathlib
import subprocess

import harness
from harness import xdotool


class Drop(harness.WindowTest):
    def drop(self, program, *paths):
        """Drags files from a window of another program onto the middle of the program's window."""
        uris = [pathlib.Path(path).as_uri() for path in paths]
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'drag_source.py')
        source = subprocess.Popen(['/usr/bin/python3', script, '1150', '700', *uris], stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(source.stdout.readline().strip(), 'ready')
            extents = harness.Atspi.Component.get_extents(program.frame, harness.Atspi.CoordType.SCREEN)
            x, y = extents.x + extents.width // 2, extents.y + extents.height // 2
            xdotool('mousemove', 1200, 730, 'sleep', 0.1, 'mousedown', 1)
            for step in range(1, 11):
                xdotool('mousemove', 1200 + (x - 1200) * step // 10, 730 + (y - 730) * step // 10, 'sleep', 0.05)
            xdotool('mousemove', x, y + 2, 'sleep', 0.3, 'mouseup', 1)
            source.wait(10)
        finally:
            source.kill()
            source.wait()
            source.stdout.close()

    def test_dropped_file_opens(self):
        clip = harness.make_clip('a clip & more.mp4')
        program = self.start()
        self.drop(program, clip)
        program.wait(lambda: program.find(name='Picture') and program.picture().frame is not None,
                     'the dropped clip is shown', 10)

    def test_dropped_file_replaces_what_is_shown(self):
        clip = harness.make_clip('second.mp4')
        program = self.start('demo:')
        program.wait(lambda: (program.picture().frame or 0) > 200 / 10, 'the demonstration runs', 20)
        self.drop(program, clip)
        program.wait(lambda: any('second' in (harness.text_of(label) or '') for label in program.find_all('label')),
                     'the window names the dropped clip', 10)


if __name__ == '__main__':
    harness.main()
