"""Rendered frames and their boxes, as vd_samples writes them, and what training does to them."""
import glob
import os

import cv2
import numpy as np

from detector_net import HEIGHT, NAMES, WIDTH

PIXELS = WIDTH * HEIGHT * 3
IGNORE = -1        # what is neither object nor background
LEAST_SIDE = 12    # pixels of the rendered frame: smaller ones are left out of training
LEAST_SHARE = 0.4  # of an object that is still in the picture: what the truth lists
MOST_BOXES = 40    # of a picture in training
COLUMNS = ("picture", "seed", "frame", "night", "pole", "kind", "track", "x1", "y1", "x2", "y2", "side")


class Pictures:
    """All pictures of a folder, mapped into memory; boxes(i) is [n, len(COLUMNS)]."""

    def __init__(self, folder, prefix):
        self.parts, self.rows, self.starts = [], [], []
        for path in sorted(glob.glob(os.path.join(folder, prefix + "*.frames"))):
            part = np.memmap(path, np.uint8, "r").reshape(-1, HEIGHT, WIDTH, 3)
            rows = np.loadtxt(path[:-len("frames")] + "boxes", ndmin=2).reshape(-1, len(COLUMNS))
            cuts = np.searchsorted(rows[:, 0], np.arange(1, len(part)))
            self.starts.append(len(self.rows))
            self.parts.append(part)
            self.rows.extend(np.split(rows, cuts))
        if not self.rows:
            raise SystemExit(f"{folder} holds no pictures {prefix}*.frames; render them first (README.md)")

    def __len__(self):
        return len(self.rows)

    def picture(self, i):
        part = int(np.searchsorted(self.starts, i, "right")) - 1
        return self.parts[part][i - self.starts[part]]

    def boxes(self, i):
        return self.rows[i]


def labels(rows):
    """Classes [n] and corners [n, 4] of what training asks for; decoys are background."""
    rows = rows[rows[:, 5] < len(NAMES)]
    classes = rows[:, 5].astype(int)
    classes[rows[:, 11] < LEAST_SIDE] = IGNORE
    return classes, rows[:, 7:11]


def change_place(picture, classes, boxes, random):
    """Mirrors, scales and shifts."""
    scale = random.uniform(0.85, 1.35)
    mirror = random.random() < 0.5
    x = random.uniform(0.1, 0.9) * WIDTH * (1 - scale)
    y = random.uniform(0.1, 0.9) * HEIGHT * (1 - scale)
    across, start = (-scale, x + scale * WIDTH) if mirror else (scale, x)
    # Pixels' centres lie at halves.
    matrix = np.float32([[across, 0, start + across / 2 - 0.5], [0, scale, y + scale / 2 - 0.5]])
    picture = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR,
                             borderValue=(114, 114, 114))
    boxes = boxes * scale
    if mirror:
        boxes = boxes[:, (2, 1, 0, 3)] * (-1, 1, -1, 1) + (scale * WIDTH, 0, scale * WIDTH, 0)
    boxes = boxes + (x, y, x, y)
    cut = np.clip(boxes, 0, (WIDTH, HEIGHT, WIDTH, HEIGHT))
    share = areas(cut) / np.maximum(areas(boxes), 1e-6)
    sides = np.minimum(cut[:, 2] - cut[:, 0], cut[:, 3] - cut[:, 1])
    classes = np.where(share < LEAST_SHARE, IGNORE, classes)
    return picture, classes[sides > 1], cut[sides > 1]


def areas(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def change_light(picture, random):
    """Gain, offset and tint as one table a channel; at times a little blur, as encoders make it."""
    gain, offset, gamma = random.uniform(0.75, 1.3), random.uniform(-14, 14), random.uniform(0.85, 1.18)
    tint = random.uniform(0.95, 1.05, 3)
    table = 255 * (np.arange(256)[:, None] / 255) ** gamma * gain * tint + offset
    picture = cv2.LUT(picture, np.clip(table, 0, 255).astype(np.uint8).reshape(1, 256, 3))
    if random.random() < 0.15:
        picture = cv2.GaussianBlur(picture, (3, 3), random.uniform(0.4, 0.8))
    return picture


def batch(pictures, picks, random=None):
    """Pictures [n, 3, HEIGHT, WIDTH] of bytes, classes [n, most] and corners [n, most, 4]; unused
    places have the class IGNORE and an empty box. With `random`, as training changes them."""
    images = np.empty((len(picks), HEIGHT, WIDTH, 3), np.uint8)
    all_classes = np.full((len(picks), MOST_BOXES), IGNORE, np.int64)
    all_boxes = np.zeros((len(picks), MOST_BOXES, 4), np.float32)
    for k, i in enumerate(picks):
        picture, (classes, boxes) = pictures.picture(i), labels(pictures.boxes(i))
        if random is not None:
            picture, classes, boxes = change_place(picture, classes, boxes, random)
            picture = change_light(picture, random)
        count = min(len(classes), MOST_BOXES)
        images[k], all_classes[k, :count], all_boxes[k, :count] = picture, classes[:count], boxes[:count]
    most = max(1, int((all_boxes[..., 2] > all_boxes[..., 0]).sum(1).max()))
    return images.transpose(0, 3, 1, 2), all_classes[:, :most], all_boxes[:, :most]
