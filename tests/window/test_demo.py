"""The demonstration: a picture that changes, and boxes over it where its words say they are."""
import numpy

import harness
from harness import screenshot, wait_until


def outline(pixels, box, scale, offset):
    """The pixels on the four lines of a box, some of each, in the middle of a line 2 pixels wide."""
    height, width, _ = pixels.shape
    x1, y1, x2, y2 = (value * scale + shift for value, shift in zip(box, offset * 2))
    along = numpy.linspace(0.15, 0.85, 15)
    points = []
    for t in along:
        points += [(x1 + t * (x2 - x1), y1), (x1 + t * (x2 - x1), y2 - 1),
                   (x1, y1 + t * (y2 - y1)), (x2 - 1, y1 + t * (y2 - y1))]
    return [(int(x), int(y)) for x, y in points if 2 <= x < width - 2 and 2 <= y < height - 2]


def share_of_outline(pixels, points):
    """The share of points with the commonest colour within two pixels: nearly 1 on a box's line."""
    around = [pixels[y - 2:y + 3, x - 2:x + 3].reshape(-1, 3).astype(int) // 24 for x, y in points]
    votes = {}
    for patch in around:
        for colour in set(map(tuple, patch)):
            if max(colour) - min(colour) >= 3:  # the palette has colours, no greys
                votes[colour] = votes.get(colour, 0) + 1
    return max(votes.values(), default=0) / max(1, len(points))


class Demo(harness.WindowTest):
    def test_picture_changes_and_has_boxes(self):
        program = self.start('demo:')
        first = program.wait(lambda: program.picture().frame is not None and program.picture(), 'a picture', 15)
        area = program.picture_extents()
        before = screenshot(area).astype(int)
        program.wait(lambda: program.picture().frame > first.frame + 10, 'ten more frames')
        changed = numpy.abs(screenshot(area).astype(int) - before).max(axis=2) > 20
        self.assertGreater(changed.mean(), 0.001, 'the picture on screen does not change')
        self.assertGreater(before.std(), 5, 'the picture is of one colour')
        program.wait(lambda: len(program.picture().boxes) > 0, 'boxes in the demonstration', 20)
        self.assertTrue(wait_until(lambda: self.boxes_are_drawn(program, area), 'boxes drawn where they are said', 20))
        harness.save_screen('demo')

    def boxes_are_drawn(self, program, area):
        """Whether a screenshot between two readings of the same frame shows its boxes' lines."""
        said = program.picture()
        if not said.boxes:
            return False
        pixels = screenshot(area)
        if program.picture().frame != said.frame:
            return False
        scale = min(area.width / 1280, area.height / 720)
        offset = ((area.width - 1280 * scale) / 2, (area.height - 720 * scale) / 2)
        for _, _, box in said.boxes:
            points = outline(pixels, box, scale, offset)
            if len(points) >= 30 and share_of_outline(pixels, points) >= 0.9:
                return True
        return False


if __name__ == '__main__':
    harness.main()
