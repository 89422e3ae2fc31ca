#!/usr/bin/env python3
"""The daemon's training and PyTorch's, side by side, for every method and network.

Queues a training without randomness (mirror views, images in the dataset's order) at a running daemon, loads
its step-0 checkpoint into the network that reference_training.py writes in PyTorch, trains on the same
batches, and compares the loss, its named parts and the learning rate of every step. Ends with status 1 if one
differs in its first three digits. A share of images (top1, contrast_top1) may differ by one image, where two
scores nearly tie. The norm of the gradient is shown and not judged: in single precision PyTorch differs from
its own double precision by 5e-4 in it at the first step (ReLU kinks; small, vicreg, batch 64).

The learning rate is low by default, because rounding alone grows with it. PyTorch against itself, its first
weights moved by 1e-7 of their value (small, batch 64, Adam, 50 steps), differs by up to 20 % at 1e-3, 9 % at
2e-4 and 0.4 % at 2e-5. --noise repeats that measurement with the run at hand, to judge a difference by;
--double lets PyTorch compute in double precision, so that only the daemon rounds.

Needs torch, torchvision, numpy and safetensors:
  side_by_side.py http://127.0.0.1:8080 --method byol
  side_by_side.py http://127.0.0.1:8080 --arch resnet50 --stem imagenet --image-size 64 --batch-size 16
"""

import argparse
import gzip
import json
import math
import sys

import numpy
import torch
from safetensors.torch import load as load_safetensors
from torch.nn import functional

from daemon import fetch
from reference_training import ARCHITECTURES, build, train

FOLDER = "/usr/share/datasets/fashion-mnist"
DIGITS = 3
METHODS = ["vicreg", "barlow-twins", "simclr", "byol", "simsiam", "sigreg", "supervised"]
PRESETS = ["small", "seed", "paper", "solo-cifar", "barlow-cifar", "simclr-cifar", "byol-cifar", "simsiam-cifar",
           "sigreg-cifar", "supervised"]
SHARES = ["top1", "contrast_top1"]
SHOWN = ["grad_norm"]


def specification(arguments):
    """What is asked of the daemon: the preset, with what the arguments replace."""
    given = {
        "method": arguments.method, "image_size": arguments.image_size,
        "encoder": {"arch": arguments.arch, "stem": arguments.stem, "width": arguments.width},
        "dataset": {"name": "fashion-mnist", "limit": arguments.limit},
        "optimizer": {"name": arguments.optimizer, "lr": arguments.learning_rate},
    }
    spec = {
        "preset": arguments.preset, "augmentation": "mirror", "shuffle": False,
        "batch_size": arguments.batch_size, "checkpoint": {"initial": True},
        "max_steps": arguments.steps, "log_every_steps": 1, "seed": arguments.seed,
        "schedule": {"name": arguments.schedule, "warmup_epochs": arguments.warmup_epochs},
    }
    for key, value in given.items():
        if isinstance(value, dict):
            value = {name: part for name, part in value.items() if part is not None}
        if value:
            spec[key] = value
    if arguments.views:
        spec["views"] = arguments.views
    if arguments.local_views:
        spec["local_views"] = {"count": arguments.local_views, "size": arguments.local_size}
    return spec


def run_job(url, spec):
    """Queues the training and waits for its end: the resolved job, its metric lines, its step-0 tensors."""
    job = json.loads(fetch(f"{url}/jobs", {"kind": "train", "name": "side by side", "spec": spec}))
    here = f"{url}/jobs/{job['id']}"
    lines = [json.loads(line) for line in fetch(f"{here}/metrics?follow=true").splitlines() if line]
    job = json.loads(fetch(here))
    if job["state"] != "succeeded":
        sys.exit(f"the training ended as {job['state']}, {job['reason']}")
    checkpoints = json.loads(fetch(f"{here}/checkpoints"))["checkpoints"]
    initial = next(one for one in checkpoints if one["step"] == 0)
    tensors = load_safetensors(gzip.decompress(fetch(f"{here}/checkpoints/{initial['name']}")))
    return job, [line for line in lines if line["event"] == "metric"], tensors


def dataset_file(name, magic):
    """The values of an IDX file, in the shape that its header gives."""
    with gzip.open(f"{FOLDER}/{name}.gz") as file:
        content = file.read()
    found, *shape = numpy.frombuffer(content[:4 + 4 * (magic & 3)], ">u4")
    assert found == magic, f"{FOLDER}/{name}.gz: not an IDX file of this kind"
    return numpy.frombuffer(content[4 + 4 * (magic & 3):], numpy.uint8).reshape(shape)


def views(pixels, description, side, count, dtype):
    """Padded to 32x32, three channels, resized, normalised; and its mirror image, in turns: `count` views.
    Each [batch, 3, side, side]."""
    padded = numpy.pad(pixels, ((0, 0), (2, 2), (2, 2)))
    values = torch.from_numpy(padded).to(dtype).div(255).unsqueeze(1)
    if side != values.shape[-1]:
        values = functional.interpolate(values, (side, side), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(description[name], dtype=dtype).view(1, 3, 1, 1) for name in ("mean", "std"))
    image = ((values.expand(-1, 3, -1, -1) - mean) / std).contiguous()
    return [(image, image.flip(3))[view % 2] for view in range(count)]


def batch_count(spec, count):
    """Batches of an epoch over that many images."""
    return count // spec["batch_size"] if spec["drop_last"] else math.ceil(count / spec["batch_size"])


def batches(spec, description, dtype):
    """Yields views and labels for ever, in the dataset's order."""
    limit, size = spec["dataset"]["limit"], spec["batch_size"]
    pixels = dataset_file("train-images-idx3-ubyte", 0x803)[:limit]
    labels = torch.from_numpy(dataset_file("train-labels-idx1-ubyte", 0x801)[:limit].astype(numpy.int64))
    while True:
        for start in range(0, batch_count(spec, len(pixels)) * size, size):
            part = slice(start, start + size)
            batch = views(pixels[part], description, spec["image_size"] or 32, spec["views"], dtype)
            if local := spec["local_views"]:
                batch += views(pixels[part], description, local["size"], local["count"], dtype)
            yield batch, labels[part]


def reference(spec, tensors, description, steps, dtype):
    """The figures of each step as PyTorch has them."""
    per_epoch = batch_count(spec, min(60_000, spec["dataset"]["limit"] or 60_000))
    model = build(spec, tensors, dtype)
    return list(train(model, spec, batches(spec, description, dtype), steps, per_epoch))


def moved(tensors, share):
    """The tensors, each number moved by about that share of itself."""
    torch.manual_seed(0)
    return {name: value * (1 + share * torch.randn_like(value)) if value.is_floating_point() else value
            for name, value in tensors.items()}


def largest_difference(one, other):
    """Of each figure over all steps, relative; of a share, absolute."""
    def difference(name, a, b):
        if a is None:
            return math.inf
        if a == b:
            return 0.0
        return abs(a - b) if name in SHARES else abs(a / b - 1) if b else math.inf
    return {name: max(difference(name, a[name], b[name]) for a, b in zip(one, other)) for name in other[0]}


def agree(name, ours, theirs, batch_size):
    """Equal to half a unit of the last digit that counts; a share, to one image."""
    if ours is None:
        return False
    if name in SHARES:
        return abs(ours - theirs) <= 1.001 / batch_size
    unit = 10.0 ** (math.floor(math.log10(abs(theirs))) - DIGITS + 1) if theirs else 10.0 ** -DIGITS
    return abs(ours - theirs) <= unit / 2


def arguments_given():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url", help="of a running daemon, like http://127.0.0.1:8080")
    parser.add_argument("--preset", default="small", choices=PRESETS)
    parser.add_argument("--method", choices=METHODS, help="instead of the preset's")
    parser.add_argument("--arch", choices=list(ARCHITECTURES), help="instead of the preset's")
    parser.add_argument("--stem", choices=["cifar", "imagenet"], help="instead of the preset's")
    parser.add_argument("--width", type=int, help="channels of the first stage, instead of the preset's")
    parser.add_argument("--image-size", type=int, help="side of the views; default: 32, as the images")
    parser.add_argument("--views", type=int, help="of each image; default: 2, of supervised 1")
    parser.add_argument("--local-views", type=int, help="smaller views of each image in addition; default: none")
    parser.add_argument("--local-size", type=int, default=16, help="side of the local views")
    parser.add_argument("--limit", type=int, help="use only the first images")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--optimizer", choices=["adam", "adamw", "sgd", "lars"], help="instead of the preset's")
    parser.add_argument("--learning-rate", type=float, default=1e-5)
    parser.add_argument("--schedule", choices=["constant", "cosine"], default="constant")
    parser.add_argument("--warmup-epochs", type=float, default=0)
    parser.add_argument("--double", action="store_true", help="PyTorch computes in double precision")
    parser.add_argument("--noise", action="store_true", help="also PyTorch against itself, moved by 1e-7")
    parser.add_argument("--brief", action="store_true", help="print no table of the steps")
    return parser.parse_args()


def show(title, figures):
    print(f"{title}: " + ", ".join(f"{name} {value:.1e}" for name, value in figures.items()))


def count_differing(lines, theirs, batch_size, prints):
    """How many figures disagree; prints both sides of each step."""
    if prints:
        print("step " + "".join(f"{name + ' vicregd':>28}{'torch':>12} " for name in theirs[0]))
    differing = 0
    for line, expected in zip(lines, theirs):
        row = f"{line['step']:4d} "
        for name, value in expected.items():
            same = name in SHOWN or agree(name, line[name], value, batch_size)
            differing += not same
            ours = line[name] if line[name] is not None else math.nan
            row += f"{ours:28.6g}{value:12.6g}{' ' if same else '!'}"
        if prints:
            print(row)
    return differing


def main():
    arguments = arguments_given()
    url = arguments.url.rstrip("/")
    job, lines, tensors = run_job(url, specification(arguments))
    spec, encoder = job["spec"], job["spec"]["encoder"]
    description = json.loads(fetch(f"{url}/datasets/fashion-mnist"))
    dtype = torch.float64 if arguments.double else torch.float32
    theirs = reference(spec, tensors, description, len(lines), dtype)
    print(f"job {job['id']}: {spec['preset']}, {spec['method']}, {encoder['arch']} of width {encoder['width']}, "
          f"{encoder['stem']} stem, batch {spec['batch_size']}, {spec['optimizer']['name']}")
    differing = count_differing(lines, theirs, spec["batch_size"], prints=not arguments.brief)
    verdict = "all agree" if differing == 0 else f"{differing} differ (!)"
    print(f"{len(lines)} steps, {DIGITS} digits: {verdict}")
    show("largest relative difference", largest_difference(lines, theirs))
    if arguments.noise:
        again = reference(spec, moved(tensors, 1e-7), description, len(lines), dtype)
        show("PyTorch, weights moved by 1e-7", largest_difference(again, theirs))
    sys.exit(0 if differing == 0 and len(lines) == arguments.steps else 1)


if __name__ == "__main__":
    main()
