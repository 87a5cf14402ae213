#!/usr/bin/python3
"""Every model file that must open, on pictures with known boxes: those of another engine on the untouched file (small
graphs, trained Ultralytics models), those of the families' README, and what people see in photographs."""
import json
import math
import os
import sys

import cli_harness
from cli_harness import SHARED, CliTest
from cli_shared import PHOTOS, iou, take_match

MODELS = os.path.join(SHARED, 'models')
FAMILIES = os.path.join(MODELS, 'families')

# Score and pixels that a box may be off; half precision has 11 bits.
FULL, HALF = (0.01, 0.5), (0.02, 1.5)

# Clear objects of 32 at a box IoU of 0.5, 0.75 and 0.8, as many as the untouched files find (models/README.md).
TRAINED = {'yolov8n-320.onnx': (30, 28, 28), 'yolo11n-320.onnx': (30, 28, 28), 'yolo26n.onnx': (30, 29, 29)}

# families/README.md: file, photo, least score, IoU of doubles, what is found: class, score, x1, y1, x2, y2.
FOUND = (
    ('yolov5lite-e_coco80_320_rawhead.onnx', 'dog.jpg', 0.3, 0.45,
     (('dog', 0.69, 135, 204, 329, 537), ('bicycle', 0.57, 177, 134, 541, 479), ('car', 0.57, 427, 69, 699, 160),
      ('truck', 0.34, 446, 67, 692, 163))),
    ('yolov5lite-e_coco80_320_rawhead.onnx', 'bus.jpg', 0.3, 0.45,
     (('person', 0.80, 54, 405, 232, 884), ('person', 0.79, 692, 464, 809, 880), ('person', 0.66, 208, 414, 350, 838),
      ('bus', 0.63, 42, 240, 764, 775))),
    ('yolov5n_coco80_640_fp16.onnx', 'bus.jpg', 0.3, 0.45,
     (('person', 0.82, 219, 408, 349, 863), ('person', 0.82, 52, 399, 207, 895), ('person', 0.68, 680, 377, 809, 870),
      ('bus', 0.53, 49, 237, 809, 772))),
    ('yolox-nano_coco80_416.onnx', 'dog.jpg', 0.3, 0.45,
     (('dog', 0.86, 133, 207, 326, 543), ('bicycle', 0.80, 52, 137, 572, 424), ('car', 0.80, 466, 78, 692, 171),
      ('truck', 0.31, 464, 78, 683, 173))),
    ('yolox-nano_coco80_416.onnx', 'bus.jpg', 0.3, 0.45,
     (('bus', 0.90, 14, 231, 801, 733), ('person', 0.86, 50, 395, 216, 898), ('person', 0.81, 220, 402, 347, 855),
      ('person', 0.70, 685, 454, 809, 874))),
    ('nanodet-m-0.5x_coco80_320_dist4.onnx', 'bus.jpg', 0.35, 0.45,
     (('person', 0.75, 49, 400, 208, 884), ('person', 0.69, 194, 400, 332, 865), ('person', 0.51, 673, 419, 809, 877),
      ('bus', 0.45, 1, 216, 791, 733))),
    ('nanodet-m_coco80_320_bins32_misnamed.onnx', 'dog.jpg', 0.35, 0.45,
     (('bicycle', 0.54, 113, 147, 566, 433), ('dog', 0.50, 129, 205, 310, 538), ('car', 0.38, 405, 78, 692, 166))),
    ('fastestdet_coco80_352.onnx', 'dog.jpg', 0.5, 0.45,
     (('dog', 0.81, 126, 201, 334, 536), ('car', 0.76, 457, 72, 703, 170), ('bicycle', 0.74, 128, 150, 577, 438),
      ('car', 0.58, 57, 81, 111, 128))),
    ('fastestdet_coco80_352.onnx', 'frisbee.jpg', 0.5, 0.45,
     (('person', 0.90, 41, 63, 178, 294), ('person', 0.89, 289, 142, 482, 297), ('person', 0.81, 159, 136, 256, 266),
      ('person', 0.78, 231, 139, 323, 277))),
    ('fastestdet_hand1_352.onnx', 'hand.jpg', 0.5, 0.45, ((None, 0.73, 290, 340, 708, 654),)),
    ('yolo-fastest-1.1_coco80.cfg', 'person.jpg', 0.3, 0.45,
     (('person', 0.99, 182, 88, 270, 380), ('dog', 0.85, 74, 260, 212, 353), ('sheep', 0.77, 420, 141, 583, 320))),
    ('yolo-fastest-1.1_coco80.weights', 'bus.jpg', 0.3, 0.45,
     (('person', 0.96, 53, 375, 219, 869), ('bus', 0.89, 96, 191, 800, 765), ('person', 0.80, 198, 425, 341, 812))),
    ('yolo-fastest-1.1_body1.cfg', 'bus.jpg', 0.3, 0.45,
     ((None, 1.00, 41, 429, 218, 890), (None, 0.99, 705, 334, 809, 894), (None, 0.99, 214, 399, 337, 854))),
    ('yolo-fastest-1.1_body1.cfg', 'dog.jpg', 0.3, 0.45, ()),
    ('yunet-n_face_320.onnx', 'zidane.jpg', 0.6, 0.3,
     (('face', 0.93, 915, 98, 1057, 281), ('face', 0.87, 553, 272, 657, 413), ('face', 0.76, 1101, 328, 1274, 518))),
    ('yunet-n_face_dynamic.onnx', 'zidane.jpg', 0.6, 0.3,
     (('face', 0.93, 915, 98, 1057, 281), ('face', 0.87, 553, 272, 657, 413), ('face', 0.76, 1101, 328, 1274, 518))),
    ('yunet-s_face_640.onnx', 'zidane.jpg', 0.6, 0.3,
     (('face', 0.93, 919, 101, 1050, 272), ('face', 0.87, 545, 266, 661, 426))),
    ('yunet-2026may_face_dynamic.onnx', 'zidane.jpg', 0.6, 0.3,
     (('face', 0.90, 919, 97, 1060, 278), ('face', 0.85, 546, 262, 660, 420))),
    ('ssd-resnet10_face_300_tf.pb', 'zidane.jpg', 0.6, 0.3,
     ((None, 1.00, 911, 104, 1056, 275), (None, 0.74, 529, 250, 664, 428))),
    ('ssd_qrcode_384_gray.caffemodel', 'dog_qr.jpg', 0.3, 0.45, ((None, 1.00, 443, 358, 606, 512),)),
    ('ssd_qrcode_384_gray.prototxt', 'dog.jpg', 0.3, 0.45, ()),
)
FREE = ('yunet-n_face_dynamic.onnx', 'yunet-2026may_face_dynamic.onnx')  # of any size; the README ran them at 320


def enclosing(wanted):
    """The upright box around a turned one."""
    turned = wanted['rotated']
    across, along = abs(math.cos(turned['angle'])), abs(math.sin(turned['angle']))
    width = turned['w'] * across + turned['h'] * along
    height = turned['w'] * along + turned['h'] * across
    return [turned['cx'] - width / 2, turned['cy'] - height / 2, turned['cx'] + width / 2, turned['cy'] + height / 2]


def cut(box, line):
    return [min(max(value, 0), most) for value, most in zip(box, (line['width'], line['height']) * 2)]


def load(path):
    with open(path, encoding='utf-8') as stream:
        return json.load(stream)


class Graphs(CliTest):
    """The picture has the network's size, so that the numbers are those of the network alone."""

    def compare(self, model, folder, expected, off, *options):
        wanted = load(os.path.join(folder, expected))
        line = self.detect('--model', model, *options, os.path.join(folder, wanted['input']))[0]
        left = list(line['detections'])
        missing, worst = [], [0.0, 0.0]
        for box in wanted['boxes']:
            place = cut(enclosing(box) if 'rotated' in box else box['box'], line)
            if place[0] >= place[2] or place[1] >= place[3]:
                continue
            hits = [(max(abs(a - b) for a, b in zip(found['bbox'], place)), abs(found['confidence'] - box['score']), i)
                    for i, found in enumerate(left) if found['class_id'] == box['class']]
            hits = [hit for hit in hits if hit[0] <= off[1] and hit[1] <= off[0]]
            if hits:
                pixels, score, at = min(hits)
                worst = [max(worst[0], score), max(worst[1], pixels)]
                self.assertEqual(left.pop(at)['class_name'], box['name'])
            elif abs(box['score'] - 0.25) > wanted['margin']['confidence'] + 1e-6:
                missing.append(box)
        if wanted['count'] > len(wanted['boxes']):  # only the first are listed
            left = [found for found in left if found['confidence'] > wanted['boxes'][-1]['score'] + off[0]]
        left = [found for found in left if found['confidence'] - 0.25 > off[0]]
        print(f'  {expected}: {len(wanted["boxes"])} boxes, score within {worst[0]:.5f}, box within {worst[1]:.3f} px')
        return missing, left

    def check(self, model, folder, expected, off, *options):
        missing, left = self.compare(model, folder, expected, off, *options)
        self.assertEqual((missing, left), ([], []), expected)

    def test_graphs(self):
        folder = os.path.join(MODELS, 'graphs')
        names = sorted(name for name in os.listdir(folder) if name.endswith('.onnx'))
        self.assertGreaterEqual(len(names), 23)
        for name in names:
            if name not in ('v8-cls.onnx', 'v8-int8-dynamic.onnx'):
                with self.subTest(model=name):
                    self.check(os.path.join(folder, name), folder, name.replace('.onnx', '.expected.json'),
                               HALF if 'half' in name else FULL)

    def test_integer_arithmetic(self):
        """Its boxes come from whole numbers: as floats most of them are there, nothing more."""
        folder = os.path.join(MODELS, 'graphs')
        wanted = load(os.path.join(folder, 'v8-int8-dynamic.expected.json'))
        line = self.detect('--model', os.path.join(folder, 'v8-int8-dynamic.onnx'),
                           os.path.join(folder, wanted['input']))[0]
        near = sum(any(found['class_id'] == box['class'] and iou(found['bbox'], cut(box['box'], line)) >= 0.5
                       for found in line['detections']) for box in wanted['boxes'])
        print(f'  v8-int8-dynamic: {near} of {len(wanted["boxes"])} boxes are there')
        self.assertGreater(near, len(wanted['boxes']) / 2)

    def test_trained(self):
        for name in TRAINED:
            for ending in ('.expected.json', '.zidane.expected.json'):
                with self.subTest(model=name, expected=ending):
                    self.check(os.path.join(MODELS, name), MODELS, name.replace('.onnx', ending), FULL)

    def test_another_size(self):
        for ending in ('expected.json', 'zidane.expected.json'):
            with self.subTest(expected=ending):
                self.check(os.path.join(MODELS, 'yolov8n-320.onnx'), MODELS, f'yolov8n-320.at-640.{ending}', FULL,
                           '--input', '640')


class Families(CliTest):
    def test_boxes(self):
        for name, photo, confidence, overlap, wanted in FOUND:
            with self.subTest(model=name, photo=photo):
                # Which JPEG decoder read the photo moves a score by 0.01.
                self.check(name, photo, ('--conf', str(confidence - 0.02), '--iou', str(overlap)), wanted)

    def test_their_own_thresholds(self):
        """Without a wish the family's own threshold counts: 0.6 for faces, 0.5 and 0.35."""
        for name, photo, least in (('yunet-s_face_640.onnx', 'zidane.jpg', 0.6),
                                   ('fastestdet_coco80_352.onnx', 'dog.jpg', 0.5),
                                   ('nanodet-m-0.5x_coco80_320_dist4.onnx', 'bus.jpg', 0.35),
                                   ('yolox-nano_coco80_416.onnx', 'dog.jpg', 0.25)):
            picture = os.path.join(FAMILIES, 'photos', photo)
            with self.subTest(model=name):
                usual = self.detect('--model', os.path.join(FAMILIES, name), picture)[0]['detections']
                asked = self.detect('--model', os.path.join(FAMILIES, name), '--conf', str(least), picture)[0]
                fewer = self.detect('--model', os.path.join(FAMILIES, name), '--conf', '0.01', picture)[0]
                self.assertEqual(usual, asked['detections'])
                self.assertLess(len(usual), len(fewer['detections']))

    def check(self, name, photo, thresholds, wanted):
        options = [*thresholds]
        if 'coco80' in name:
            options += ['--labels', os.path.join(FAMILIES, 'coco.names')]
        if name in FREE:
            options += ['--input', '320']
        line = self.detect('--model', os.path.join(FAMILIES, name), *options,
                           os.path.join(FAMILIES, 'photos', photo))[0]
        left = list(line['detections'])
        for class_name, score, *box in wanted:
            best = max((found for found in left if class_name in (None, found['class_name'])),
                       key=lambda found: iou(found['bbox'], box), default=None)
            self.assertIsNotNone(best, (class_name, box))
            self.assertGreaterEqual(iou(best['bbox'], box), 0.8, (class_name, box, best))
            self.assertAlmostEqual(best['confidence'], score, delta=0.05, msg=(class_name, box))
            left.remove(best)
        print(f'  {name} on {photo}: {len(wanted)} found' + (f', {len(left)} more' if left else ''))
        if not wanted:
            self.assertEqual(left, [])


class Photos(CliTest):
    def test_clear_objects(self):
        photos = load(os.path.join(PHOTOS, 'expected.json'))
        sources = [os.path.join(PHOTOS, photo['file']) for photo in photos]
        for name, least in TRAINED.items():
            with self.subTest(model=name):
                lines = self.detect('--model', os.path.join(MODELS, name), *sources)
                found = [self.count(photos, lines, overlap) for overlap in (0.5, 0.75, 0.8)]
                print(f'  {name}: {found} of 32 clear objects')
                for got, wanted in zip(found, least):
                    self.assertGreaterEqual(got, wanted)

    @staticmethod
    def count(photos, lines, overlap):
        found = 0
        for photo, line in zip(photos, lines):
            detections = list(line['detections'])
            found += sum(take_match(detections, wanted, overlap) is not None
                         for wanted in photo['objects'] if wanted['clear'])
        return found


if __name__ == '__main__':
    if not os.path.exists(MODELS):
        if os.environ.get('VEDETTE_REQUIRE_SHARED') == '1':
            sys.exit(f'{MODELS} is required')
        print(f'waits for shared: {MODELS}')
        sys.exit(0)
    cli_harness.main()
