"""The stage-1 network: an anchor-free head on strides 8 and 16, decoded as YOLOv8's [1, 4 + classes, cells]."""
import torch
import torch.nn as nn
import torch.nn.functional as F

WIDTH, HEIGHT = 384, 224  # of the network's input
STRIDES = (8, 16)
NAMES = ("crack", "pothole")


class Conv(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inputs, outputs, size=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class Block(nn.Module):
    """The last `inner` channels pass a residual pair of 3×3 convolutions; all are joined and mixed."""

    def __init__(self, inputs, outputs, inner):
        super().__init__()
        self.rest = outputs - inner
        self.enter = Conv(inputs, outputs) if inputs != outputs else nn.Identity()
        self.first = Conv(inner, inner, 3)
        self.second = Conv(inner, inner, 3)
        self.leave = Conv(outputs + inner, outputs)

    def forward(self, x):
        x = self.enter(x)
        part = x[:, self.rest:]
        return self.leave(torch.cat((x, part + self.second(self.first(part))), 1))


class Grow(nn.Module):
    """Twice as many channels, by two 3×3 convolutions: the finest maps are the dearest."""

    def __init__(self, inputs):
        super().__init__()
        self.first = Conv(inputs, inputs, 3)
        self.second = Conv(inputs, inputs, 3)

    def forward(self, x):
        return torch.cat((x, self.second(self.first(x))), 1)


class Head(nn.Module):
    """Boxes as plain distances to four sides, in cells, and a logit a class."""

    def __init__(self, inputs, inner=32):
        super().__init__()
        self.box = nn.Sequential(Conv(inputs, inner, 3), nn.Conv2d(inner, 4, 1))
        self.score = nn.Sequential(Conv(inputs, inner, 3), nn.Conv2d(inner, len(NAMES), 1))
        nn.init.constant_(self.box[1].bias, 1.5)
        nn.init.constant_(self.score[1].bias, -4.0)

    def forward(self, x):
        return self.box(x), self.score(x)


def cells(width, height):
    """Centres [2, N] and strides [N] of all cells, in pixels of the input."""
    centers, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        centers.append((torch.stack((x, y)).flatten(1).float() + 0.5) * stride)
        strides.append(torch.full((centers[-1].shape[1],), float(stride)))
    return torch.cat(centers, 1), torch.cat(strides)


class Detector(nn.Module):
    """Widths and parts are multiples of 16: others cost the processor as much as the next multiple."""

    def __init__(self, channels=(16, 48, 64, 96)):
        super().__init__()
        a, c, d, e = channels
        self.stem = nn.Sequential(Conv(3, a, 3, 2), Conv(a, a, 3, 2), Grow(a))
        self.down8 = nn.Sequential(Conv(2 * a, c, 3, 2), Block(c, c, 32))
        self.down16 = nn.Sequential(Conv(c, d, 3, 2), Block(d, d, 32))
        self.down32 = nn.Sequential(Conv(d, e, 3, 2), Block(e, e, 48))
        self.up16 = Block(e + d, d, 32)
        self.up8 = Block(d + c, c, 32)
        self.again = Conv(c, c, 3, 2)
        self.back16 = Block(c + d, d, 32)
        self.heads = nn.ModuleList((Head(c), Head(d)))
        centers, strides = cells(WIDTH, HEIGHT)
        self.register_buffer("centers", centers.reshape(1, 2, -1), persistent=False)
        self.register_buffer("strides", strides.reshape(1, 1, -1).repeat(1, 4, 1), persistent=False)

    def maps(self, x):
        """Distances [n, 4, N] in cells and logits [n, classes, N]."""
        p8 = self.down8(self.stem(x))
        p16 = self.down16(p8)
        up16 = self.up16(torch.cat((F.interpolate(self.down32(p16), scale_factor=2), p16), 1))
        up8 = self.up8(torch.cat((F.interpolate(up16, scale_factor=2), p8), 1))
        back16 = self.back16(torch.cat((self.again(up8), up16), 1))
        found = [head(level) for head, level in zip(self.heads, (up8, back16))]
        return torch.cat([f[0].flatten(2) for f in found], 2), torch.cat([f[1].flatten(2) for f in found], 2)

    def corners(self, distances):
        """Distances in cells to corners [n, 4, N] in pixels."""
        distances = distances * self.strides
        return torch.cat((self.centers - distances[:, :2], self.centers + distances[:, 2:]), 1)

    def forward(self, x):
        """Pictures [n, 3, HEIGHT, WIDTH], RGB, 0 to 1, to [n, 4 + classes, N]: centre, size, scores."""
        distances, logits = self.maps(x)
        distances = distances * self.strides
        before, behind = distances[:, :2], distances[:, 2:]
        center = self.centers + (behind - before) * 0.5
        return torch.cat((center, before + behind, torch.sigmoid(logits)), 1)


def macs(net):
    """Multiply-adds of the convolutions in one pass."""
    total, hooks = [0], []

    def count(layer, _, output):
        total[0] += output.numel() * layer.weight[0].numel()

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            hooks.append(layer.register_forward_hook(count))
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, HEIGHT, WIDTH))
    for hook in hooks:
        hook.remove()
    return total[0]
