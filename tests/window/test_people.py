"""Persons in a real clip, found by a real model, are boxed."""
import harness
from harness import shared, text_of


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

    def test_faces_begin_at_their_own_threshold(self):
        photo, model = shared('models/families/photos/zidane.jpg', 'models/families/yunet-n_face_320.onnx')
        program = self.start('--model', model, photo)
        words = lambda: [text_of(label) for label in program.find_all('label')]
        program.wait(lambda: any(text.startswith('Computed by ') for text in words()), 'the panel says what computes', 40)
        program.wait(lambda: '0.60' in words(), 'the confidence is that of the family', 10)
        self.assertTrue(program.wait(lambda: program.picture().boxes, 'faces are boxed', 20))
        self.assertTrue(all(box[0] == 'face' for box in program.picture().boxes))
        program.kill()
        program = self.start('--model', model, '--conf', '0.35', '--precision', 'fp32', photo)
        program.wait(lambda: any(text.startswith('Computed by ') for text in words()), 'the panel says what computes', 40)
        program.wait(lambda: '0.35' in words(), 'what was asked for wins', 10)


if __name__ == '__main__':
    harness.main()
