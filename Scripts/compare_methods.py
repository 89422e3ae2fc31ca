#!/usr/bin/env python3
"""Every method beside every other: what each learns in the same wall clock, on Fashion-MNIST.

Starts a daemon of its own. Measures the speed of each method, then trains each by its small recipe for as many
steps as fill the given minutes, `vicreg` with several seeds, and evaluates the pooled features of each last
checkpoint, standardised, on the whole dataset:

- logistic regression until it has converged (the daemon's protocol `logistic`),
- the 20 nearest neighbours (cosine, weights exp(similarity / 0.07)), computed here: the encoder is rebuilt in
  PyTorch from the checkpoint, so this column does not depend on the daemon's own evaluation.

Beside them: raw pixels, the untrained encoder, and `supervised`. Prints a Markdown table. Several trainings may
run at once, each with its own cores: --at-once 2 --threads 1 takes half the time of --at-once 1 --threads 2, and
gives each method less of the machine.

Needs torch, torchvision, numpy and safetensors:
  compare_methods.py --binary .build/release/vicregd
  compare_methods.py --minutes 1 --methods vicreg,byol --seeds 1
"""

import argparse
import concurrent.futures
import gzip
import json
import os
import sys

import numpy
import torch
from safetensors.torch import load as load_safetensors

from daemon import daemon, fetch
from reference_training import encoder_of
from side_by_side import METHODS, dataset_file, views

PROBE_STEPS = 60
NEIGHBOURS = 20
TEMPERATURE = 0.07
DATASET = "fashion-mnist"


def run(url, kind, spec):
    """Queues a job and waits for its end."""
    job = json.loads(fetch(f"{url}/jobs", {"kind": kind, "spec": spec}))
    lines = fetch(f"{url}/jobs/{job['id']}/metrics?follow=true").splitlines()
    job = json.loads(fetch(f"{url}/jobs/{job['id']}"))
    if job["state"] != "succeeded":
        sys.exit(f"{kind} {spec}: {job['state']}, {job['message']}")
    return job, [line for line in map(json.loads, filter(None, lines)) if line["event"] == "metric"]


def training(method, steps, seed):
    # The steps end it, not the recipe's epochs.
    return {"method": method, "dataset": {"name": DATASET}, "epochs": 1000, "max_steps": steps, "seed": seed,
            "checkpoint": {"initial": True}}


def features(url, job, which, pixels):
    """The pooled features of images, by the encoder of a checkpoint in PyTorch."""
    spec = job["spec"]
    description = json.loads(fetch(f"{url}/datasets/{DATASET}"))
    listed = json.loads(fetch(f"{url}/jobs/{job['id']}/checkpoints"))["checkpoints"]
    chosen = (min if which == "first" else max)(listed, key=lambda one: one["step"])
    tensors = load_safetensors(gzip.decompress(fetch(f"{url}/jobs/{job['id']}/checkpoints/{chosen['name']}")))
    encoder, _ = encoder_of(spec["encoder"])
    state = {name.removeprefix("encoder."): value for name, value in tensors.items() if name.startswith("encoder.")}
    encoder.load_state_dict(state, strict=True)
    encoder.fc = torch.nn.Identity()
    encoder.eval()
    side = spec["image_size"] or 32
    with torch.no_grad():
        return torch.cat([encoder(views(part, description, side, 1, torch.float32)[0])
                          for part in numpy.array_split(pixels, max(1, len(pixels) // 500))])


def neighbours_accuracy(train, labels, test, expected):
    """The share of test rows whose weighted nearest training rows vote for their label."""
    mean, deviation = train.mean(0), train.std(0).clamp(min=1e-6)
    train, test = ((rows - mean) / deviation for rows in (train, test))
    train, test = (torch.nn.functional.normalize(rows, dim=1) for rows in (train, test))
    hits = 0
    for part, truth in zip(test.split(500), expected.split(500)):
        near, index = (part @ train.T).topk(NEIGHBOURS, dim=1)
        votes = torch.zeros(len(part), 10).scatter_add_(1, labels[index], (near / TEMPERATURE).exp())
        hits += int((votes.argmax(1) == truth).sum())
    return hits / len(test)


class Images:
    """The dataset's pixels and labels."""

    def __init__(self):
        self.train, self.test = (dataset_file(f"{part}-images-idx3-ubyte", 0x803) for part in ("train", "t10k"))
        self.labels, self.expected = (
            torch.from_numpy(dataset_file(f"{part}-labels-idx1-ubyte", 0x801).astype(numpy.int64))
            for part in ("train", "t10k"))

    def neighbours(self, of):
        """The accuracy of the neighbours of what `of` makes of pixels."""
        return neighbours_accuracy(of(self.train), self.labels, of(self.test), self.expected)


def share(value):
    return f"{100 * value:.1f}%"


def spread(values):
    """The mean, and the standard deviation where there are several."""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return share(mean)
    deviation = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    return f"{share(mean)} ± {100 * deviation:.1f}"


def row(name, rate, steps, results):
    """A line of the table from (job, kNN, logistic) of each seed."""
    health = ", ".join(sorted({job["health"]["state"] for job, _, _ in results}))
    print(f"| {name} | {rate:.0f} | {steps} | {spread([knn for _, knn, _ in results])} | "
          f"{spread([top1 for _, _, top1 in results])} | {health} |", flush=True)


def arguments_given():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=".build/release/vicregd")
    parser.add_argument("--minutes", type=float, default=8, help="of each training")
    parser.add_argument("--methods", default=",".join(METHODS), help="a list with commas")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of vicreg")
    parser.add_argument("--at-once", type=int, default=1, help="trainings at the same time")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each training")
    return parser.parse_args()


def main():
    arguments = arguments_given()
    methods, images = arguments.methods.split(","), Images()
    serving = daemon(
        arguments.binary, "--workers", str(arguments.at_once), "--threads-per-worker", str(arguments.threads))
    with serving as url, concurrent.futures.ThreadPoolExecutor(arguments.at_once) as pool:
        # As many probes at once as there will be trainings.
        probes = dict(zip(methods, pool.map(lambda name: run(url, "train", training(name, PROBE_STEPS, 0)), methods)))
        rates, plans = {}, []
        for name in methods:
            job, lines = probes[name]
            # The first lines are slower: memory is touched for the first time.
            paces = sorted(line["images_per_second"] for line in lines if line["step"] > PROBE_STEPS // 3)
            rates[name] = paces[len(paces) // 2]
            steps = round(rates[name] * 60 * arguments.minutes / job["spec"]["batch_size"])
            plans += [(name, steps, seed) for seed in range(arguments.seeds if name == "vicreg" else 1)]
        print(f"{arguments.minutes:g} minutes each, {arguments.at_once} at once with {arguments.threads} threads\n")
        print("| method | images/s | steps | kNN | logistic | health |\n|---|---|---|---|---|---|", flush=True)
        trained = list(pool.map(lambda plan: run(url, "train", training(*plan))[0], plans))
        results = {}
        for index, ((name, steps, _), job) in enumerate(zip(plans, trained)):
            evaluation = {"checkpoint": {"job": job["id"]}, "protocol": "logistic", "baselines": index == 0}
            result = run(url, "evaluate", evaluation)[0]["result"]
            if index == 0:
                baselines = result["baselines"]
            knn = images.neighbours(lambda pixels: features(url, job, "last", pixels))
            results.setdefault((name, steps), []).append((job, knn, result["top1"]))
        for (name, steps), figures in results.items():
            row(name, rates[name], steps, figures)
        first = probes[methods[0]][0]
        untrained = images.neighbours(lambda pixels: features(url, first, "first", pixels))
        raw = images.neighbours(lambda pixels: torch.from_numpy(pixels.reshape(len(pixels), -1).astype(numpy.float32)))
        for name, knn in (("untrained", untrained), ("raw_pixels", raw)):
            print(f"| {name.replace('_', ' ')} |  |  | {share(knn)} | {share(baselines[name])} |  |")


if __name__ == "__main__":
    main()
