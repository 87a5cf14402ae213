"""Persons in a real clip, found by a real model, are boxed."""
import harness
from harness import shared


class People(harness.WindowTest):
    def test_person_is_boxed(self):
        clip, model = shared('clips/one-by-one-person.mp4', 'models/yolov8n-320.onnx')
        program = self.start('--model', model, clip)

        def person():
            boxes = [box for box in program.picture().boxes if box[0] == 'person' and box[1] > 0.6]
            return boxes[0] if boxes else None
        _, _, (x1, y1, x2, y2) = program.wait(person, 'a person is boxed', 40)
        harness.save_screen('person')
        self.assertTrue(-1 <= x1 < x2 <= 769 and -1 <= y1 < y2 <= 433, (x1, y1, x2, y2))
        self.assertGreater(y2 - y1, 40)


if __name__ == '__main__':
    harness.main()
