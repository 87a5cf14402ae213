"""What the detector is trained to: task-aligned assignment (TOOD, arXiv 2108.07755), cross entropy and
complete IoU (arXiv 1911.08287)."""
import math

import torch
import torch.nn.functional as F

TOP, ALPHA, BETA = 8, 1.0, 4.0
NEAR = 0.75         # strides from a box's centre within which a cell counts as inside, for small boxes
BOX_WEIGHT = 5.0
EPSILON = 1e-7


def overlap(a, b):
    """IoU, and the corners' spans for what follows; a and b broadcast, [..., 4]."""
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    size_a, size_b = (a[..., 2:] - a[..., :2]).clamp(min=0), (b[..., 2:] - b[..., :2]).clamp(min=0)
    common = inner.prod(-1)
    return common / (size_a.prod(-1) + size_b.prod(-1) - common + EPSILON)


def complete_overlap(a, b):
    iou = overlap(a, b)
    around = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).pow(2).sum(-1)
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    shape = (torch.atan2(size_b[..., 0], size_b[..., 1].clamp(min=EPSILON)) -
             torch.atan2(size_a[..., 0], size_a[..., 1].clamp(min=0.1))).pow(2) * 4 / math.pi ** 2
    with torch.no_grad():
        weight = shape / (shape - iou + 1 + EPSILON)
    return iou - apart / (around.pow(2).sum(-1) + EPSILON) - weight * shape


def inside(centers, strides, boxes):
    """Which cells may stand for which boxes, [n, boxes, cells]."""
    x, y = centers[0], centers[1]
    left, top, right, bottom = boxes[..., None].unbind(2)
    within = (x > left) & (x < right) & (y > top) & (y < bottom)
    near = (((left + right) / 2 - x).abs() < NEAR * strides) & (((top + bottom) / 2 - y).abs() < NEAR * strides)
    return within | near


def assign(scores, found, centers, strides, classes, boxes):
    """The box that each cell stands for, [n, cells], how well it does, 0 to 1, and which cells count at all.

    scores [n, cells, classes], found [n, cells, 4], classes [n, boxes] (negative: leave out what lies there)
    """
    true = (classes >= 0)[..., None]
    may = inside(centers, strides, boxes)
    iou = overlap(boxes[:, :, None], found[:, None])
    picked = classes.clamp(min=0)[:, :, None].expand(-1, -1, scores.shape[1])
    fit = scores.transpose(1, 2).gather(1, picked).pow(ALPHA) * iou.pow(BETA) * (may & true)
    best = fit.topk(TOP, 2).indices
    chosen = torch.zeros_like(fit, dtype=torch.bool).scatter_(2, best, True) & (fit > 0)
    # A cell that several boxes chose is that one's which it overlaps most.
    owner = torch.where(chosen, iou, torch.full_like(iou, -1)).argmax(1)
    mine = chosen & (torch.arange(boxes.shape[1], device=owner.device)[None, :, None] == owner[:, None])
    fit, iou = fit * mine, iou * mine
    target = (fit / (fit.amax(2, keepdim=True) + EPSILON) * iou.amax(2, keepdim=True)).amax(1)
    counts = ~(may & ~true & (boxes[..., 2:] > boxes[..., :2]).all(-1)[..., None]).any(1) | mine.any(1)
    return owner, target, counts


def loss(net, distances, logits, classes, boxes):
    """The loss of a batch, and its two parts as numbers."""
    distances, logits = distances.float(), logits.float().transpose(1, 2)
    found = net.corners(distances).transpose(1, 2)
    centers, strides = net.centers[0], net.strides[0, 0]
    with torch.no_grad():
        owner, target, counts = assign(logits.sigmoid(), found, centers, strides, classes, boxes)
        wanted = F.one_hot(classes.clamp(min=0).gather(1, owner), logits.shape[2]) * target[..., None]
        total = target.sum().clamp(min=1)
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(2)
    score_loss = (entropy * counts).sum() / total
    at = target > 0
    own = boxes.gather(1, owner[..., None].expand(-1, -1, 4))
    box_loss = ((1 - complete_overlap(found[at], own[at])) * target[at]).sum() / total
    return score_loss + BOX_WEIGHT * box_loss, (float(score_loss), float(box_loss))
