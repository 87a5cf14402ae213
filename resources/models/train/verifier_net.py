"""The verifier: is what lies in the middle of a clip part of the road, or does it only look like it?

A clip is 16 pictures in grey, 112 × 112. Each goes with its successor, the last with the first, and 4 times their
difference through one encoder; the maps of all pairs side by side go through a second network. Networks that
were given the pictures alone learned nothing: the difference has to be there from the start.
"""
import torch
from torch import nn

FRAMES, HALF = 16, 112
ENCODER, FUSED = (16, 32, 48, 32), (96, 128)


def layer(width_in, width, size, stride):
    return nn.Sequential(nn.Conv2d(width_in, width, size, stride, size // 2, bias=False),
                         nn.BatchNorm2d(width), nn.ReLU(inplace=True))


class Verifier(nn.Module):
    def __init__(self, encoder=ENCODER, fused=FUSED):
        super().__init__()
        a, b, c, d = encoder
        self.encoder = nn.Sequential(layer(3, a, 5, 2), layer(a, b, 3, 2), layer(b, c, 3, 1), layer(c, d, 3, 2))
        e, f = fused
        self.fuse = nn.Sequential(layer(FRAMES * d, e, 1, 1), layer(e, e, 3, 1), layer(e, f, 3, 2), layer(f, f, 3, 1))
        self.last = nn.Linear(f, 1)
        self.each = nn.Linear(d, 1)  # of each pair alone: for training, which it helps to start

    def forward(self, clips):
        """clips: [N, 16, 112, 112], 0 to 1, any gain. The logits of the clips, and those of the pairs' mean."""
        x = normalise(clips)
        after = torch.roll(x, -1, 1)
        pairs = torch.stack((x, after, 4 * (after - x)), -1).flatten(0, 1).permute(0, 3, 1, 2)
        maps = self.encoder(pairs)
        each = self.each(maps.float().mean((2, 3))).view(-1, FRAMES).mean(1)
        fused = self.fuse(maps.reshape(len(clips), -1, *maps.shape[2:]))
        return self.last(fused.float().mean((2, 3)))[:, 0], each


def normalise(clips):
    """Mean 0, deviation 1 over a whole clip, as InstanceNormalization has it."""
    flat = clips.flatten(1)
    mean, var = flat.mean(1), flat.var(1, unbiased=False)
    return (clips - mean.view(-1, 1, 1, 1)) / torch.sqrt(var + 1e-5).view(-1, 1, 1, 1)


class Exported(nn.Module):
    """The same from 16 pictures RGB of 224 × 224, [1, 48, 224, 224] and 0 to 1, to a hazard's probability.

    Of layers that OpenCV 4.6 knows, without slices: grey and pairs are convolutions with fixed weights."""

    def __init__(self, net):
        super().__init__()
        self.grey = nn.Conv2d(3 * FRAMES, FRAMES, 2, 2, groups=FRAMES, bias=False)
        grey = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1) / 4
        self.grey.weight.data = grey.expand(FRAMES, 3, 2, 2).contiguous()
        self.norm = nn.InstanceNorm2d(1, affine=True)
        self.pairs = nn.Conv2d(FRAMES, 3 * FRAMES, 1, bias=False)
        weight = torch.zeros(FRAMES, 3, FRAMES)
        for t in range(FRAMES):
            after = (t + 1) % FRAMES
            weight[t, 0, t], weight[t, 1, after] = 1, 1
            weight[t, 2, t], weight[t, 2, after] = -4, 4
        self.pairs.weight.data = weight.view(3 * FRAMES, FRAMES, 1, 1)
        self.net = net

    def forward(self, images):
        grey = self.grey(images).reshape(1, 1, FRAMES * HALF, HALF)
        pairs = self.pairs(self.norm(grey).reshape(1, FRAMES, HALF, HALF))
        maps = self.net.encoder(pairs.reshape(FRAMES, 3, HALF, HALF))
        fused = self.net.fuse(maps.reshape(1, -1, HALF // 8, HALF // 8))
        return torch.sigmoid(self.net.last(fused.mean((2, 3))))
