"""Mean average precision of a detector's boxes against exact truth: the area under the precision envelope at
101 recall points; greedy by confidence, one true box each, IoU 0.5. Detections on a decoy and on no true
object are left out and counted apart."""
import numpy as np

IOU = 0.5


def overlaps(a, b):
    """IoU of every box of a [n, 4] with every one of b [m, 4]."""
    inner = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    common = np.clip(inner, 0, None).prod(2)
    area = lambda c: np.clip(c[:, 2:] - c[:, :2], 0, None).prod(1)
    return common / np.maximum(area(a)[:, None] + area(b)[None] - common, 1e-9)


def suppress(boxes, scores, classes, least=0.45):
    """Indices of what stays, best first: no two of one class overlap by more than `least`."""
    order, kept = np.argsort(-scores, kind="stable"), []
    apart = boxes + (classes * 8192.0)[:, None]
    table = overlaps(apart, apart)
    alive = np.ones(len(boxes), bool)
    for i in order:
        if alive[i]:
            kept.append(i)
            alive &= table[i] <= least
    return np.array(kept, int)


class Tally:
    """Counts up picture by picture. Boxes are [n, 4] corners in pixels."""

    def __init__(self, classes):
        self.scores = [[] for _ in range(classes)]
        self.hits = [[] for _ in range(classes)]
        self.labels = [0] * classes
        self.found = []   # a true object: class, shorter side, best score of a hit of its class, tag
        self.fooled = []  # a decoy: kind, best score of a detection on it, of any class, tag

    def add(self, boxes, scores, classes, true_boxes, true_classes, decoys, decoy_kinds, sides=None, tag=""):
        order = np.argsort(-scores, kind="stable")
        boxes, scores, classes = boxes[order], scores[order], classes[order]
        on_true = overlaps(boxes, true_boxes) >= IOU
        on_decoy = overlaps(boxes, decoys) >= IOU
        stray = on_decoy.any(1) & ~on_true.any(1)
        for k, kind in enumerate(decoy_kinds):
            self.fooled.append((kind, float(scores[on_decoy[:, k] & stray].max(initial=0)), tag))
        if sides is None:
            sides = np.minimum(true_boxes[:, 2] - true_boxes[:, 0], true_boxes[:, 3] - true_boxes[:, 1])
        for c in range(len(self.labels)):
            self.match(c, boxes[(classes == c) & ~stray], scores[(classes == c) & ~stray],
                       true_boxes[true_classes == c], sides[true_classes == c], tag)

    def match(self, c, boxes, scores, true_boxes, sides, tag):
        table = overlaps(boxes, true_boxes)
        best = np.zeros(len(true_boxes))
        taken = np.zeros(len(true_boxes), bool)
        for i in range(len(boxes)):
            free = np.where(taken, 0, table[i])
            k = int(free.argmax()) if len(free) else -1
            hit = k >= 0 and free[k] >= IOU
            if hit:
                taken[k], best[k] = True, scores[i]
            self.scores[c].append(float(scores[i]))
            self.hits[c].append(bool(hit))
        self.labels[c] += len(true_boxes)
        self.found.extend((c, float(s), float(b), tag) for s, b in zip(sides, best))

    def precision(self, c):
        """Average precision of a class; None without true objects."""
        if not self.labels[c]:
            return None
        order = np.argsort(-np.array(self.scores[c]), kind="stable")
        hits = np.array(self.hits[c], bool)[order]
        recall = np.cumsum(hits) / self.labels[c]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(recall, np.linspace(0, 1, 101))
        return float(np.mean([precision[i] if i < len(precision) else 0 for i in at]))

    def mean_precision(self):
        parts = [p for p in map(self.precision, range(len(self.labels))) if p is not None]
        return float(np.mean(parts)) if parts else 0.0

    def fooled_share(self, kinds, confidence=0.25):
        scores = [score for kind, score, _ in self.fooled if kind in kinds]
        return float(np.mean(np.array(scores) >= confidence)) if scores else None
