#!/usr/bin/python3
"""Figures of the stage-1 detector on rendered clips of seeds that training never saw: `vedette-cli demo` renders
each with its exact truth, `vedette-cli detect` looks at it, and accuracy.py compares.

  evaluate.py --cli vedette-cli --model FILE.onnx --work DIR [--seeds FROM:TO] [--frames N] [--fps X]

Of four seeds each is another of day, night, vehicle and pole. Frames are 1/X s apart, so that a clip shows much.
DIR/truth.jsonl and DIR/detections.jsonl keep all clips in one, frames numbered through.
"""
import argparse
import json
import os
import subprocess

import numpy as np

import accuracy

HELD_FROM = 2_000_000  # no seed from here on is looked at in training
CLASSES = ("crack", "pothole")
DECOYS = ("shadow", "wet patch", "manhole cover", "tar seam")
SIDES = (0, 12, 16, 24, 40, 80, 160, 10000)  # pixels
SURE = 0.25


def run(*words):
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stderr.strip()}")


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def look(options, seed, night, pole):
    """Truth and detections of one clip, frame by frame."""
    clip, truth, found = (os.path.join(options.work, f"now.{end}") for end in ("mp4", "truth", "found"))
    for path in (clip, truth, found):
        if os.path.exists(path):
            os.remove(path)
    run(options.cli, "demo", clip, "--frames", str(options.frames), "--fps", str(options.fps), "--seed", str(seed),
        "--view", "pole" if pole else "vehicle", "--truth", truth, *(["--night"] if night else []))
    run(options.cli, "detect", "--model", options.model, "--conf", "0.001", "--json", found, clip)
    by_frame = {row["frame"]: row for row in lines(found)}
    os.remove(clip)
    return [(row, by_frame.get(row["frame"], {"detections": []})) for row in lines(truth)]


def corners(rows):
    return np.array([row["bbox"] for row in rows], float).reshape(-1, 4)


def count(tally, truth, found, tag):
    objects, decoys, seen = truth["detections"], truth.get("decoys", []), found["detections"]
    tally.add(corners(seen), np.array([d["confidence"] for d in seen], float),
              np.array([d["class_id"] for d in seen], int), corners(objects),
              np.array([o["class_id"] for o in objects], int), corners(decoys), [d["kind"] for d in decoys], tag=tag)


def recall_by(name, groups, rows):
    """A line a group: how many true objects, and the share of them found at SURE."""
    print(f"\n| {name} | objects | share | recall at {SURE} |\n|---|---|---|---|")
    for label, chosen in groups:
        scores = np.array([row[2] for row in rows if chosen(row)])
        if len(scores):
            print(f"| {label} | {len(scores)} | {len(scores) / len(rows):.2f} | {(scores >= SURE).mean():.3f} |")


def report(tally, parts):
    print(f"\nmAP50 {tally.mean_precision():.4f}: " +
          ", ".join(f"{name} {tally.precision(c) or 0:.4f}" for c, name in enumerate(CLASSES)))
    for tag, part in parts.items():
        print(f"mAP50 {tag} {part.mean_precision():.4f}")
    rows = tally.found
    recall_by("class", [(name, lambda r, c=c: r[0] == c) for c, name in enumerate(CLASSES)], rows)
    recall_by("shorter side, px", [(f"{a} to {b}" if b < 10000 else f"{a} up", lambda r, a=a, b=b: a <= r[1] < b)
                                   for a, b in zip(SIDES, SIDES[1:])], rows)
    recall_by("scene", [(tag, lambda r, tag=tag: r[3] == tag) for tag in parts], rows)
    print(f"\n| decoy | seen | taken for a hazard at {SURE} |\n|---|---|---|")
    for kinds in [(kind,) for kind in DECOYS] + [DECOYS[:2], DECOYS]:
        total = sum(kind in kinds for kind, _, _ in tally.fooled)
        if total:
            print(f"| {', '.join(kinds)} | {total} | {tally.fooled_share(kinds, SURE):.3f} |")
    print(f"\n{len(rows)} hazards and {len(tally.fooled)} decoys listed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--seeds", default=f"{HELD_FROM}:{HELD_FROM + 48}")
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--fps", type=float, default=2)
    options = parser.parse_args()
    first, last = map(int, options.seeds.split(":"))
    if first < HELD_FROM:
        parser.error(f"seeds for the figures begin at {HELD_FROM}")
    os.makedirs(options.work, exist_ok=True)
    tally, parts, frame = accuracy.Tally(len(CLASSES)), {}, 0
    with open(os.path.join(options.work, "truth.jsonl"), "w") as truths, \
            open(os.path.join(options.work, "detections.jsonl"), "w") as detections:
        for seed in range(first, last):
            night, pole = seed % 2 == 1, seed // 2 % 2 == 1
            tag = f"{'pole' if pole else 'vehicle'}, {'night' if night else 'day'}"
            part = parts.setdefault(tag, accuracy.Tally(len(CLASSES)))
            for truth, found in look(options, seed, night, pole):
                count(tally, truth, found, tag)
                count(part, truth, found, tag)
                truth["frame"] = found["frame"] = frame
                frame += 1
                truths.write(json.dumps(truth) + "\n")
                detections.write(json.dumps(found) + "\n")
    print(f"{last - first} seeds from {first}, {options.frames} frames of each, {options.fps:g} a second")
    report(tally, parts)


if __name__ == "__main__":
    main()
