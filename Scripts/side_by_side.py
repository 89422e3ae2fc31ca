#!/usr/bin/env python3
"""The daemon's training and PyTorch's, side by side.

Queues a training without randomness (mirror views, images in the dataset's order) at a running daemon,
loads its step-0 checkpoint into the same network of torchvision's blocks, trains on the same batches, and
compares the logged loss, inv, var and cov of every step. Ends with status 1 if one differs in its first three
digits.

The learning rate is low by default, because rounding alone grows with it. PyTorch against itself, its first
weights moved by 1e-7 of their value (small, batch 64, Adam, 50 steps), differs by up to 20 % at 1e-3, 9 % at
2e-4 and 0.4 % at 2e-5. --noise repeats that measurement with the run at hand, to judge a difference by.

Needs torch, torchvision, numpy and safetensors:  side_by_side.py http://127.0.0.1:8080 --preset small
"""

import argparse
import gzip
import json
import math
import sys
import urllib.error
import urllib.request

import numpy
import torch
from safetensors.torch import load as load_safetensors
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

FOLDER = "/usr/share/datasets/fashion-mnist"
DIGITS = 3
COMPARED = ["loss", "inv", "var", "cov"]


def fetch(url, body=None):
    """The bytes of an answer; a refusal ends the script with the daemon's words."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{url}: {error.code} {error.read().decode()}")


def run_job(url, arguments):
    """Queues the training and waits for its end: the resolved job, its metric lines, its step-0 tensors."""
    spec = {
        "preset": arguments.preset, "augmentation": "mirror", "shuffle": False,
        "batch_size": arguments.batch_size, "dataset": {"name": "fashion-mnist"},
        "checkpoint": {"initial": True},
        "max_steps": arguments.steps, "log_every_steps": 1, "seed": arguments.seed,
        "optimizer": {"lr": arguments.learning_rate}, "schedule": {"name": "constant", "warmup_epochs": 0},
    }
    if arguments.optimizer:
        spec["optimizer"]["name"] = arguments.optimizer
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


def encoder_of(spec):
    """torchvision's ResNet with the 3x3 stem, base width and final layer that the specification names."""
    blocks = {"resnet18": [2, 2, 2, 2], "resnet34": [3, 4, 6, 3]}[spec["arch"]]
    width, outputs = spec["width"], spec["fc"]
    network = ResNet(BasicBlock, blocks)
    network.conv1 = nn.Conv2d(3, width, 3, padding=spec["stem_padding"], bias=spec["stem_bias"])
    network.bn1 = nn.BatchNorm2d(width)
    network.maxpool = nn.Identity()
    network.inplanes = width
    for index, count in enumerate(blocks):
        layer = network._make_layer(BasicBlock, width << index, count, stride=1 if index == 0 else 2)
        setattr(network, f"layer{index + 1}", layer)
    network.fc = nn.Linear(8 * width, outputs) if outputs else nn.Identity()
    return network, outputs or 8 * width


def projector_of(spec, inputs):
    """Linear, then BatchNorm, ReLU, Linear for each further width."""
    layers = []
    for index, width in enumerate(spec["widths"]):
        is_last = index == len(spec["widths"]) - 1
        if index > 0:
            layers += [nn.BatchNorm1d(inputs), nn.ReLU()]
        layers.append(nn.Linear(inputs, width, bias=spec["last_bias"] or not is_last))
        inputs = width
    return nn.Sequential(*layers)


def build(spec, tensors):
    """Encoder and projector with the checkpoint's tensors, each name and shape accounted for."""
    model = nn.Module()
    model.encoder, features = encoder_of(spec["encoder"])
    model.projector = projector_of(spec["projector"], features)
    state = {name: value for name, value in tensors.items() if name.split(".")[0] in ("encoder", "projector")}
    model.load_state_dict(state, strict=True)
    return model.train()


def optimizer_of(spec, parameters):
    """The optimiser of the specification; LARS is not in torch."""
    common = {"lr": spec["lr"], "weight_decay": spec["weight_decay"]}
    if spec["name"] in ("adam", "adamw"):
        kind = torch.optim.Adam if spec["name"] == "adam" else torch.optim.AdamW
        return kind(parameters, betas=tuple(spec["betas"]), eps=spec["eps"], **common)
    if spec["name"] == "sgd":
        return torch.optim.SGD(parameters, momentum=spec["momentum"], **common)
    sys.exit(f"torch has no optimiser {spec['name']}: name another with --optimizer")


def losses(first, second, spec):
    """The components as they enter the loss, and their weighted sum; both [batch, width]."""

    def variance(embedding):
        return torch.relu(spec["gamma"] - torch.sqrt(embedding.var(dim=0) + spec["epsilon"])).mean()

    def covariance(embedding):
        centred = embedding - embedding.mean(dim=0)
        matrix = centred.T @ centred / (len(embedding) - 1)
        return (matrix.square().sum() - matrix.diagonal().square().sum()) / embedding.shape[1]

    share = 0.5 if spec["variance"] == "mean" else 1.0
    inv = nn.functional.mse_loss(first, second)
    var = share * (variance(first) + variance(second))
    cov = covariance(first) + covariance(second)
    loss = spec["inv"] * inv + spec["var"] * var + spec["cov"] * cov
    return {"inv": inv, "var": var, "cov": cov, "loss": loss}


def images():
    """The training images in their order: [60000, 28, 28], 0 to 255."""
    with gzip.open(f"{FOLDER}/train-images-idx3-ubyte.gz") as file:
        magic, count, rows, columns = numpy.frombuffer(file.read(16), ">u4")
        assert magic == 2051, f"{FOLDER}: not an IDX file of images"
        return numpy.frombuffer(file.read(), numpy.uint8).reshape(count, rows, columns)


def views(pixels, description):
    """Padded to 32x32, three channels, normalised; and its mirror image. Each [batch, 3, 32, 32]."""
    padded = numpy.pad(pixels, ((0, 0), (2, 2), (2, 2)))
    values = torch.from_numpy(padded).float().div(255).unsqueeze(1).expand(-1, 3, -1, -1)
    mean, std = (torch.tensor(description[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    image = ((values - mean) / std).contiguous()
    return image, image.flip(3)


def embed(model, first, second, scope):
    """Both views' embeddings, through BatchNorm as one batch or as two."""
    def through(batch):
        return model.projector(model.encoder(batch))
    if scope == "per_view":
        return through(first), through(second)
    return through(torch.cat([first, second])).chunk(2)


def train(model, spec, rates, description):
    """Yields the loss components of each step; `rates` are the learning rates that the daemon logged."""
    optimizer = optimizer_of(spec["optimizer"], list(model.parameters()))
    pixels, size = images(), spec["batch_size"]
    per_epoch = len(pixels) // size if spec["drop_last"] else math.ceil(len(pixels) / size)
    for step, rate in enumerate(rates):
        start = step % per_epoch * size
        parts = losses(*embed(model, *views(pixels[start:start + size], description),
                              spec["loss"]["batch_norm"]), spec["loss"])
        optimizer.zero_grad()
        parts["loss"].backward()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        yield {name: value.item() for name, value in parts.items()}


def moved(tensors, share):
    """The tensors, each number moved by about that share of itself."""
    torch.manual_seed(0)
    return {name: value * (1 + share * torch.randn_like(value)) if value.is_floating_point() else value
            for name, value in tensors.items()}


def largest_difference(one, other):
    """Of each component over all steps, relative."""
    def relative(a, b):
        return abs(a / b - 1) if a is not None and b else math.inf
    return {name: max(relative(a[name], b[name]) for a, b in zip(one, other)) for name in COMPARED}


def agree(ours, theirs):
    """Equal to half a unit of the last digit that counts."""
    unit = 10.0 ** (math.floor(math.log10(abs(theirs))) - DIGITS + 1) if theirs else 10.0 ** -DIGITS
    return ours is not None and abs(ours - theirs) <= unit / 2


def arguments_given():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url", help="of a running daemon, like http://127.0.0.1:8080")
    parser.add_argument("--preset", default="small", choices=["small", "seed", "paper", "solo-cifar"])
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--optimizer", choices=["adam", "adamw", "sgd"], help="instead of the preset's")
    parser.add_argument("--learning-rate", type=float, default=1e-5)
    parser.add_argument("--noise", action="store_true", help="also PyTorch against itself, moved by 1e-7")
    return parser.parse_args()


def show(title, figures):
    print(f"{title}: " + ", ".join(f"{name} {value:.1e}" for name, value in figures.items()))


def main():
    arguments = arguments_given()
    url = arguments.url.rstrip("/")
    job, lines, tensors = run_job(url, arguments)
    spec = job["spec"]
    description = json.loads(fetch(f"{url}/datasets/fashion-mnist"))
    rates = [line["lr"] for line in lines]
    theirs = list(train(build(spec, tensors), spec, rates, description))
    print(f"job {job['id']}: {spec['preset']}, batch {spec['batch_size']}, {spec['optimizer']['name']}")
    print("step " + "".join(f"{name + ' vicregd':>16}{'torch':>12} " for name in COMPARED))
    differing = 0
    for line, reference in zip(lines, theirs):
        row = f"{line['step']:4d} "
        for name in COMPARED:
            same = agree(line[name], reference[name])
            differing += not same
            row += f"{line[name] if line[name] is not None else math.nan:16.6g}{reference[name]:12.6g}"
            row += " " if same else "!"
        print(row)
    verdict = "all agree" if differing == 0 else f"{differing} differ (!)"
    print(f"{len(lines)} steps, {DIGITS} digits: {verdict}")
    show("largest relative difference", largest_difference(lines, theirs))
    if arguments.noise:
        again = list(train(build(spec, moved(tensors, 1e-7)), spec, rates, description))
        show("PyTorch, weights moved by 1e-7", largest_difference(again, theirs))
    sys.exit(0 if differing == 0 and len(lines) == arguments.steps else 1)


if __name__ == "__main__":
    main()
