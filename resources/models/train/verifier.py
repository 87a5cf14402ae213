#!/usr/bin/python3
"""Trains, exports and evaluates the verifier of the demonstration.

    verifier.py --clips STEM [STEM ...] --held STEM [STEM ...] --minutes M --work DIR [--start FILE.pt] [--resume]
                [--out FILE.onnx]

STEM.u8 and STEM.csv are what vd_clips writes; the clips of --held come from seeds that --clips has none of. Uses a
GPU if there is one, else one core. --start takes the weights of another training, and half the rate. After a
break --resume goes on from DIR/verifier.pt; with --minutes 0 it only exports and evaluates.
"""
import argparse
import csv
import math
import os
import time
import warnings
from collections import Counter

import numpy as np
import torch
from torch.nn import functional as F

import export
from verifier_net import FRAMES, HALF, Exported, Verifier

BATCH, RATE, DECAY, EMA, WARM_STEPS = 32, 2e-3, 0.02, 0.995, 100
PASSED, THRESHOLD = 0.94, 0.7  # share of validation hazards that has to pass at the settings' threshold
HELD_FROM = 1_000_000  # seeds from here on are for evaluation alone
KINDS = ("shadow", "wet patch", "manhole cover", "tar seam")


class Clips:
    """Clips in files, as one list; `rows` says what each is."""

    def __init__(self, stems):
        self.parts, self.rows, self.where = [], [], []
        for part, stem in enumerate(stems):
            with open(stem + ".csv", encoding="utf-8") as lines:
                rows = list(csv.DictReader(lines))
            self.parts.append(np.memmap(stem + ".u8", np.uint8, "r").reshape(-1, FRAMES, HALF, HALF))
            assert len(rows) == len(self.parts[-1]), f"{stem}: {len(rows)} lines, {len(self.parts[-1])} clips"
            self.where += [(part, i) for i in range(len(rows))]
            self.rows += rows
        self.hazard = np.array([int(row["hazard"]) for row in self.rows], np.float32)
        self.seed = np.array([int(row["seed"]) for row in self.rows], np.int64)
        self.weight = balance([(self.where[i][0], row["pole"], find_bin(int(row["pictures"]), (7, 11, 16)),
                                find_bin(min(float(row["width"]), float(row["height"])), (12, 24, 48)))
                               for i, row in enumerate(self.rows)], self.hazard)

    def take(self, indices):
        return torch.from_numpy(np.stack([self.parts[p][i] for p, i in (self.where[k] for k in indices)]))


def find_bin(value, bounds):
    return sum(value >= bound for bound in bounds)


def balance(groups, hazard):
    """Weights with which hazards and decoys count alike in every group: neither how long something is seen nor how
    large it is says what it is."""
    counts = Counter(zip(groups, hazard))
    weights = np.array([(counts[group, 0] + counts[group, 1]) / (2 * counts[group, value])
                        for group, value in zip(groups, hazard)], np.float32)
    return np.clip(weights, 0.4, 3)


def augment(clips):
    """Flip, zoom, shift, the same for all pictures of a clip; gain, which matters where it saturates."""
    n = len(clips)
    zoom = torch.empty(n, device=clips.device).uniform_(0.87, 1.15)
    theta = torch.zeros(n, 2, 3, device=clips.device)
    theta[:, 0, 0] = zoom * (torch.randint(0, 2, (n,), device=clips.device) * 2 - 1)
    theta[:, 1, 1] = zoom * torch.empty(n, device=clips.device).uniform_(0.95, 1.05)
    theta[:, :, 2] = torch.empty(n, 2, device=clips.device).uniform_(-0.12, 0.12)
    grid = F.affine_grid(theta, [n, 1, HALF, HALF], align_corners=False)
    clips = F.grid_sample(clips, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return (clips * torch.empty(n, 1, 1, 1, device=clips.device).uniform_(0.8, 1.2)).clamp_(0, 1)


class Place:
    """Where and in what numbers to compute."""

    def __init__(self):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.set_num_threads(1)
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            self.bf16 = self.device == "cuda" or "avx512_bf16" in info.read()
        self.format = torch.channels_last if self.bf16 else torch.contiguous_format

    def run(self, net, clips):
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            logits, each = net(clips)
        return logits.float(), each.float()


@torch.no_grad()
def find_logits(place, net, clips, indices):
    net.eval()
    found = [place.run(net, clips.take(indices[i:i + 64]).to(place.device).float() / 255)[0].cpu()
             for i in range(0, len(indices), 64)]
    return torch.cat(found).numpy()


def area_under_curve(logits, hazard):
    order = np.argsort(logits)
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    good = int(hazard.sum())
    bad = len(hazard) - good
    return (ranks[hazard > 0].sum() - good * (good + 1) / 2) / max(good * bad, 1)


class Training:
    def __init__(self, options, place):
        self.options, self.place = options, place
        self.net = Verifier().to(place.device, memory_format=place.format)
        self.mean = Verifier().to(place.device, memory_format=place.format).requires_grad_(False)
        self.mean.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), RATE, weight_decay=DECAY)
        self.seconds, self.steps, self.seen = 0.0, 0, 0
        self.file, self.rate = os.path.join(options.work, "verifier.pt"), RATE
        if options.start:
            state, self.rate = torch.load(options.start, map_location=place.device), RATE / 2
            self.net.load_state_dict(state["mean"])
            self.mean.load_state_dict(state["mean"])

    def save(self):
        state = {"net": self.net.state_dict(), "mean": self.mean.state_dict(), "seconds": self.seconds,
                 "optimiser": self.optimiser.state_dict(), "steps": self.steps, "seen": self.seen}
        torch.save(state, self.file + ".part")
        os.replace(self.file + ".part", self.file)

    def load(self):
        state = torch.load(self.file, map_location=self.place.device)
        for name in ("net", "mean", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.seconds, self.steps, self.seen = state["seconds"], state["steps"], state["seen"]

    def step(self, clips, hazard, weights):
        done = min(self.seconds / (self.options.minutes * 60), 1)
        rate = self.rate * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2) * min(1, (self.steps + 1) / WARM_STEPS)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        logits, each = self.place.run(self.net, augment(clips))
        loss = F.binary_cross_entropy_with_logits(logits, hazard, weights)
        both = loss + 0.5 * F.binary_cross_entropy_with_logits(each, hazard, weights)
        self.optimiser.zero_grad(set_to_none=True)
        both.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5)
        self.optimiser.step()
        self.steps += 1
        self.seen += len(clips)
        self.follow()
        return loss.item()

    @torch.no_grad()
    def follow(self):
        keep = min(EMA, self.steps / (self.steps + 10))
        for mean, now in zip(self.mean.state_dict().values(), self.net.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def run(self, clips, train, check):
        random = np.random.default_rng(1 + self.steps)
        torch.manual_seed(1 + self.steps)
        told = saved = self.seconds
        losses, order = [], []
        while self.seconds < self.options.minutes * 60:
            began = time.monotonic()
            if len(order) < BATCH:
                order = list(random.permutation(train))
            batch, order = order[:BATCH], order[BATCH:]
            hazard = torch.from_numpy(clips.hazard[batch])
            weights = torch.from_numpy(clips.weight[batch])
            self.net.train()
            losses.append(self.step(clips.take(batch).to(self.place.device).float() / 255,
                                    hazard.to(self.place.device), weights.to(self.place.device)))
            self.seconds += time.monotonic() - began
            if self.seconds - told >= 30:
                print(f"{self.seconds / 60:6.1f} min  {self.seen:7d} clips  {self.seen / self.seconds:5.0f} a second  "
                      f"loss {np.mean(losses):.4f}", flush=True)
                told, losses = self.seconds, []
            if self.seconds - saved >= 180:
                self.save()
                logits = find_logits(self.place, self.mean, clips, check[:1000])
                print(f"            validation: {in_short(logits, clips.hazard[check[:1000]])}", flush=True)
                saved = self.seconds
        self.save()


def in_short(logits, hazard):
    point = np.quantile(logits[hazard > 0], 0.05)
    return (f"AUC {area_under_curve(logits, hazard):.4f}, where 0.95 of the hazards pass "
            f"{(logits[hazard == 0] < point).mean():.3f} of the decoys are rejected")


def share(values):
    return f"{np.mean(values):.3f} of {len(values):5d}" if len(values) else "    - of     0"


def report(logits, clips, indices):
    """The figures on seeds that training never saw; logits are calibrated."""
    rows = [clips.rows[i] for i in indices]
    hazard, kind = clips.hazard[indices] > 0, np.array([row["kind"] for row in rows])
    pole = np.array([row["pole"] == "1" for row in rows])
    night = np.array([row["night"] == "1" for row in rows])
    size = np.array([min(float(row["width"]), float(row["height"])) for row in rows]) * 2
    passed = logits >= math.log(THRESHOLD / (1 - THRESHOLD))
    point = np.quantile(logits[hazard], 0.05)
    every = np.ones(len(rows), bool)
    parts = (("all", every), ("vehicle", ~pole), ("pole", pole), ("day", ~night), ("night", night))
    print(f"AUC {area_under_curve(logits, clips.hazard[indices]):.4f}; 0.95 of the hazards pass at "
          f"{1 / (1 + math.exp(-point)):.3f}, where {share((logits < point)[~hazard])} decoys are rejected")
    print(f"at the threshold {THRESHOLD}:")
    print(f"  {'':14}" + "".join(f"{name:>17}" for name, _ in parts))
    for name in ("crack", "pothole", "hazards"):
        chosen = hazard if name == "hazards" else kind == name
        print(f"  {name + ' passed':15}" + "".join(f"{share(passed[chosen & part]):>17}" for _, part in parts))
    for name in KINDS + ("shadow + wet", "decoys"):
        chosen = ~hazard if name == "decoys" else (kind == "shadow") | (kind == "wet patch") \
            if name == "shadow + wet" else kind == name
        print(f"  {name[:8] + ' rejected' if name != 'shadow + wet' else 's + w rejected':17}"
              + "".join(f"{share(~passed[chosen & part]):>17}" for _, part in parts))
    for least, most in ((0, 20), (20, 40), (40, 80), (80, math.inf)):
        chosen = (size >= least) & (size < most)
        print(f"  shorter side {least:2d} to {most:3.0f} px: hazards passed {share(passed[chosen & hazard])}, "
              f"decoys rejected {share(~passed[chosen & ~hazard])}")

    pictures = np.array([int(row["pictures"]) for row in rows])
    for least, most in ((1, 6), (7, 10), (11, 15), (16, 16)):
        chosen = (pictures >= least) & (pictures <= most)
        print(f"  {least:2d} to {most:2d} pictures: hazards passed {share(passed[chosen & hazard])}, "
              f"decoys rejected {share(~passed[chosen & ~hazard])}")


def calibrate(net, logits, hazard):
    """Moves the last bias so that PASSED of the hazards pass at THRESHOLD. Returns by how much."""
    move = math.log(THRESHOLD / (1 - THRESHOLD)) - float(np.quantile(logits[hazard > 0], 1 - PASSED))
    with torch.no_grad():
        net.last.bias += move
    return move


def write_model(net, path):
    net = net.to("cpu", memory_format=torch.contiguous_format)
    warnings.filterwarnings("ignore", message=".*instance_norm.*")  # it has no running mean to be frozen
    export.export(Exported(net), torch.zeros(1, 3 * FRAMES, 2 * HALF, 2 * HALF), path,
                  {"vedette.task": "verify", "vedette.output": "probability", "vedette.frames": str(FRAMES),
                   "description": "probability, 0 to 1, that what lies in the middle of the clip is a hazard; input: "
                                  "16 pictures RGB / 255, evenly over 1.6 s, one behind the other as 48 channels"})
    print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB")


def check_model(net, path, clips, indices):
    """OpenCV's answers from the file against torch's from the same clips."""
    import cv2
    cv2.setNumThreads(1)
    other = cv2.dnn.readNetFromONNX(path)
    worst, took = 0.0, []
    net = net.cpu().eval()
    for i in indices:
        grey = clips.take([i]).float() / 255
        with torch.no_grad():
            mine = torch.sigmoid(net(grey)[0]).item()
        pictures = grey.repeat_interleave(3, 1).repeat_interleave(2, 2).repeat_interleave(2, 3)
        other.setInput(np.ascontiguousarray(pictures.numpy()))
        began = time.monotonic()
        theirs = float(other.forward().ravel()[0])
        took.append(time.monotonic() - began)
        worst = max(worst, abs(mine - theirs))
    print(f"OpenCV {cv2.__version__} against torch, {len(indices)} clips: off by at most {worst:.1e}; "
          f"{1000 * np.median(took):.1f} ms a clip")
    assert worst < 1e-3, "OpenCV computes something else"


def split(clips):
    """Training, and one seed in 16 for validation; both shuffled, always the same."""
    assert (clips.seed < HELD_FROM).all(), f"training clips with seeds from {HELD_FROM} on"
    indices = np.random.default_rng(0).permutation(len(clips.rows))
    apart = clips.seed[indices] % 16 == 0
    return indices[~apart], indices[apart]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--clips", nargs="+", required=True)
    parser.add_argument("--held", nargs="+", required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--out")
    parser.add_argument("--start")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    place, clips, held = Place(), Clips(options.clips), Clips(options.held)
    assert (held.seed >= HELD_FROM).all(), f"clips for evaluation with seeds below {HELD_FROM}"
    train, check = split(clips)
    print(f"{len(train)} clips to train on ({clips.hazard[train].mean():.2f} hazards), {len(check)} to check, "
          f"{len(held.rows)} held out; {place.device}, {'bfloat16' if place.bf16 else 'float32'}", flush=True)
    training = Training(options, place)
    if options.resume:
        training.load()
    training.run(clips, train, check)
    net = training.mean
    move = calibrate(net, find_logits(place, net, clips, check), clips.hazard[check])
    print(f"{training.seconds / 60:.1f} minutes, {training.seen} clips; last bias moved by {move:+.2f}")
    every = np.arange(len(held.rows))
    report(find_logits(place, net, held, every), held, every)
    if options.out:
        write_model(net, options.out)
        check_model(net, options.out, held, every[:: max(1, len(every) // 40)])


if __name__ == "__main__":
    main()
