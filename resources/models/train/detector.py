#!/usr/bin/python3
"""Trains the stage-1 detector of the demonstration and writes it as an ONNX file.

  detector.py train  --data DIR --work DIR [--minutes M] [--workers N] [--resume]
  detector.py export --work DIR --out FILE.onnx

DIR of --data holds what vd_samples wrote: train*.frames and check*.frames, with their boxes. The rate falls
with the time that has passed, so the training takes M minutes on any machine; --resume goes on where the last
checkpoint was, M minutes counted over all. N processes share each batch, one thread each.
"""
import argparse
import copy
import math
import os
import time

import numpy as np
import torch
import torch.multiprocessing as processes

import accuracy
import detector_data as data
import export
from detector_loss import loss
from detector_net import HEIGHT, NAMES, STRIDES, WIDTH, Detector, macs

BATCH, RATE, LAST_RATE, DECAY, CLIP = 16, 2.5e-3, 0.03, 0.02, 10.0
EMA, WARM_STEPS = 0.998, 100
CHECKS, CHECK_PICTURES = 12, 240
SHADOW, WET = 2, 3  # kinds of decoys, as vd_scene_kind counts


def say(*words):
    print(time.strftime("%H:%M:%S"), *words, flush=True)


def has_bf16():
    try:
        with open("/proc/cpuinfo") as info:
            return "avx512_bf16" in info.read()
    except OSError:
        return False


class Machine:
    """Where and in which numbers the training computes."""

    def __init__(self):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.bf16 = self.device == "cuda" or has_bf16()
        self.layout = torch.channels_last if self.bf16 else torch.contiguous_format

    def images(self, bytes_):
        return (torch.from_numpy(np.ascontiguousarray(bytes_)).to(self.device).float() / 255).to(
            memory_format=self.layout)

    def autocast(self):
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16)


def parameter_groups(net):
    """Weights decay; biases and normalisations do not."""
    decays = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": decays, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]


def rate(share, step):
    """Cosine over the share of the time that has passed, after a short rise."""
    falling = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return RATE * falling * min(1.0, (step + 1) / WARM_STEPS)


@torch.no_grad()
def follow(ema, net, step):
    """The running mean of the weights, which is what is exported."""
    keep = min(EMA, (1 + step) / (10 + step))
    for mean, value in zip(ema.state_dict().values(), net.state_dict().values()):
        if mean.dtype.is_floating_point:
            mean.lerp_(value.float(), 1 - keep)
        else:
            mean.copy_(value)


class Shared:
    """Gradients of several processes, averaged, and the time, so that all take the same step."""

    def __init__(self, workers, size):
        self.gradients = torch.zeros(workers, size).share_memory_()
        self.share = torch.zeros(1, dtype=torch.float64).share_memory_()
        self.barrier = processes.get_context("fork").Barrier(workers)

    def average(self, rank, net):
        with torch.no_grad():
            flat = torch.cat([p.grad.flatten() for p in net.parameters()])
            self.gradients[rank] = flat
            self.barrier.wait(600)
            flat, at = self.gradients.mean(0), 0
            for p in net.parameters():
                p.grad.copy_(flat[at:at + p.numel()].view_as(p))
                at += p.numel()
            self.barrier.wait(600)


def decode(output, least=0.01):
    """Boxes, scores and classes of one picture's [4 + classes, N], suppressed."""
    scores, classes = output[4:].max(0), output[4:].argmax(0)
    at = np.flatnonzero(scores >= least)
    at = at[np.argsort(-scores[at])][:300]
    center, half = output[:2, at].T, output[2:4, at].T / 2
    boxes = np.concatenate((center - half, center + half), 1)
    kept = accuracy.suppress(boxes, scores[at], classes[at])
    return boxes[kept], scores[at][kept], classes[at][kept]


@torch.no_grad()
def check(net, pictures, machine):
    """A quick look at pictures of seeds that training does not see."""
    net.eval()
    tally = accuracy.Tally(len(NAMES))
    picks = np.linspace(0, len(pictures) - 1, min(CHECK_PICTURES, len(pictures))).astype(int)
    for start in range(0, len(picks), BATCH):
        some = picks[start:start + BATCH]
        images = machine.images(np.stack([pictures.picture(i) for i in some]).transpose(0, 3, 1, 2))
        with machine.autocast():
            distances, logits = net.maps(images)
        corners = net.corners(distances.float())
        corners = torch.cat(((corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]), 1)
        outputs = torch.cat((corners, logits.float().sigmoid()), 1).cpu().numpy()
        for i, output in zip(some, outputs):
            rows = pictures.boxes(i)
            true = rows[:, 5] < len(NAMES)
            tally.add(*decode(output), rows[true, 7:11], rows[true, 5].astype(int), rows[~true, 7:11],
                      rows[~true, 5].astype(int), rows[true, 11])
    return tally


class Training:
    def __init__(self, options, rank, shared):
        torch.set_num_threads(1)
        torch.manual_seed(1)
        self.options, self.rank, self.shared = options, rank, shared
        self.machine = Machine()
        self.pictures = data.Pictures(options.data, "train")
        self.check_pictures = data.Pictures(options.data, "check") if rank == 0 else None
        self.net = Detector().to(self.machine.device, memory_format=self.machine.layout)
        self.ema = copy.deepcopy(self.net)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.net), lr=RATE)
        self.step, self.before, self.seen = 0, 0.0, 0
        self.path = os.path.join(options.work, "detector.pt")
        if options.resume:
            self.load()
        self.random = np.random.default_rng((7, rank, self.step))
        self.started = time.monotonic()

    def load(self):
        state = torch.load(self.path, map_location=self.machine.device)
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.before, self.seen = state["step"], state["seconds"], state["seen"]

    def save(self):
        state = {"net": self.net.state_dict(), "ema": self.ema.state_dict(), "step": self.step,
                 "optimizer": self.optimizer.state_dict(), "seconds": self.seconds(), "seen": self.seen}
        torch.save(state, self.path + ".part")
        os.replace(self.path + ".part", self.path)

    def seconds(self):
        return self.before + time.monotonic() - self.started

    def share(self):
        """Of the time; the first process tells the others."""
        if self.rank == 0:
            self.shared.share[0] = self.seconds() / (60 * self.options.minutes)
        if self.options.workers > 1:
            self.shared.barrier.wait(600)
        return float(self.shared.share[0])

    def take_step(self, share):
        own = BATCH // self.options.workers
        picks = self.random.integers(len(self.pictures), size=own)
        bytes_, classes, boxes = data.batch(self.pictures, picks, self.random)
        images = self.machine.images(bytes_)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(share, self.step)
        self.net.train()
        with self.machine.autocast():
            distances, logits = self.net.maps(images)
        total, parts = loss(self.net, distances, logits, torch.from_numpy(classes).to(self.machine.device),
                            torch.from_numpy(boxes).to(self.machine.device))
        self.optimizer.zero_grad()
        total.backward()
        if self.options.workers > 1:
            self.shared.average(self.rank, self.net)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.optimizer.step()
        self.step += 1
        self.seen += BATCH
        if self.rank == 0:
            follow(self.ema, self.net, self.step)
        return parts

    def report(self, share, parts):
        tally = check(self.ema, self.check_pictures, self.machine)
        each = " ".join(f"{name} {tally.precision(c) or 0:.3f}" for c, name in enumerate(NAMES))
        fooled = tally.fooled_share((SHADOW, WET))
        say(f"{share:4.0%} of {self.options.minutes:g} min, {self.seen} pictures, {self.seen / self.seconds():.0f}/s,",
            f"loss {parts[0]:.3f} + {parts[1]:.3f} box, mAP50 {tally.mean_precision():.3f} ({each}),",
            f"shadows and wet patches taken for hazards {-1 if fooled is None else fooled:.2f}")
        self.save()

    def run(self):
        if self.rank == 0:
            say(f"{len(self.pictures)} pictures, {macs(copy.deepcopy(self.ema).cpu()) / 1e6:.0f} MMAC,",
                f"{'bf16' if self.machine.bf16 else 'float32'} on {self.machine.device},",
                f"{self.options.workers} at work")
        share = self.share()
        due, parts = share + 1 / CHECKS, np.zeros(2)
        while share < 1:
            parts += (np.array(self.take_step(share)) - parts) / min(100, self.step)
            if self.rank == 0 and share >= due:
                self.report(share, parts)
                due += 1 / CHECKS
            share = self.share()
        if self.rank == 0:
            self.report(share, parts)


def work(rank, options, shared):
    Training(options, rank, shared).run()


def train(options):
    if BATCH % options.workers:
        raise SystemExit(f"--workers must divide {BATCH}")
    os.makedirs(options.work, exist_ok=True)
    shared = Shared(options.workers, sum(p.numel() for p in Detector().parameters()))
    others = [processes.get_context("fork").Process(target=work, args=(r, options, shared), daemon=True)
              for r in range(1, options.workers)]
    for other in others:
        other.start()
    work(0, options, shared)
    for other in others:
        other.join()


def write(options):
    net = Detector()
    net.load_state_dict(torch.load(os.path.join(options.work, "detector.pt"), map_location="cpu")["ema"])
    export.export(net, torch.rand(1, 3, HEIGHT, WIDTH), options.out, {
        "description": "Vedette's road hazards, stage 1: cracks and potholes of the demonstration",
        "author": "Vedette", "task": "detect", "batch": "1", "imgsz": str([HEIGHT, WIDTH]),
        "stride": str(max(STRIDES)), "names": str(dict(enumerate(NAMES))), "channels": "3"})
    say("wrote", options.out, f"{os.path.getsize(options.out) / 1e6:.2f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("train")
    one.add_argument("--data", required=True)
    one.add_argument("--work", required=True)
    one.add_argument("--minutes", type=float, default=50)
    one.add_argument("--workers", type=int, default=1)
    one.add_argument("--resume", action="store_true")
    one.set_defaults(run=train)
    two = commands.add_parser("export")
    two.add_argument("--work", required=True)
    two.add_argument("--out", required=True)
    two.set_defaults(run=write)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
