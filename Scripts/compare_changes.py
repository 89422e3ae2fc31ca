#!/usr/bin/env python3
"""What each change of the recipe `small` gives in the same time, on training images that are held back.

Starts a daemon of its own. The first 50,000 training images of Fashion-MNIST are trained on; the other 10,000 are
what the numbers are of. The test images are never read. The pace of each change is measured before on the idle
machine, so each training takes as many steps as fill the given minutes. The pooled features of the last checkpoint
are evaluated by `logistic` and `knn` with the labels of the 50,000. Prints a Markdown table, best first.

  compare_changes.py --binary .build/release/vicregd
  compare_changes.py --minutes 2 --only unchanged --only sigreg
  compare_changes.py --changes FILE     one JSON object a line: {"name": "…", members of a specification}
"""

import argparse
import concurrent.futures
import json
import os
import struct
import sys
import tempfile

import numpy

from compare_methods import PROBE_STEPS, run, share
from daemon import daemon
from side_by_side import dataset_file

TRAINED = 50_000
CHANGES = [
    {"name": "unchanged"},
    {"name": "sigreg", "method": "sigreg"},
    {"name": "simclr", "method": "simclr"},
    {"name": "four views, half the batch", "views": 4, "batch_size": 32},
    {"name": "views of 28 pixels", "image_size": 28},
    {"name": "crops of 0.1 to 1", "augmentation": {"crop_scale": [0.1, 1]}},
    {"name": "crops of 0.35 to 1", "augmentation": {"crop_scale": [0.35, 1]}},
    {"name": "no blur, no solarisation",
     "augmentation": {"blur_probability": [0, 0], "solarize_probability": [0, 0]}},
    {"name": "brightness and contrast 1.2", "augmentation": {"brightness": 1.2, "contrast": 1.2}},
    {"name": "batch 128, rate 4e-3", "batch_size": 128, "optimizer": {"lr": 4e-3}},
    {"name": "rate 1.5e-3", "optimizer": {"lr": 1.5e-3}},
    {"name": "rate 6e-3", "optimizer": {"lr": 6e-3}},
    {"name": "rate 1.2e-2", "optimizer": {"lr": 1.2e-2}},
    {"name": "width 32", "encoder": {"width": 32}},
]


def write_split(folder):
    """Writes the training images as a dataset of its own, in MNIST's format: the rest of them are its test split."""
    images = dataset_file("train-images-idx3-ubyte", 0x803)
    labels = dataset_file("train-labels-idx1-ubyte", 0x801)
    for prefix, part in (("train", slice(TRAINED)), ("t10k", slice(TRAINED, None))):
        for name, magic, values in (("images-idx3", 0x803, images[part]), ("labels-idx1", 0x801, labels[part])):
            header = struct.pack(f">{1 + values.ndim}I", magic, *values.shape)
            with open(f"{folder}/{prefix}-{name}-ubyte", "wb") as file:
                file.write(header + values.astype(numpy.uint8).tobytes())


def specification(change, dataset, steps, seed):
    """A training of `small` with a change; its steps end it, not its epochs."""
    members = {key: value for key, value in change.items() if key != "name"}
    return {"dataset": {"name": dataset}, "epochs": 1000, "max_steps": steps, "seed": seed,
            "checkpoint": {"every_epochs": 1000, "keep_last": 1, "keep_best": None}, **members}


def pace(url, change, dataset):
    """Images a second, and the batch."""
    job, lines = run(url, "train", specification(change, dataset, PROBE_STEPS, 0))
    # The first lines are slower: memory is touched for the first time.
    paces = sorted(line["images_per_second"] for line in lines if line["step"] > PROBE_STEPS // 3)
    return paces[len(paces) // 2], job["spec"]["batch_size"]


def learned(url, change, dataset, steps, seed):
    """Logistic and kNN accuracy on the images that were held back, and the health of the training."""
    job, _ = run(url, "train", specification(change, dataset, steps, seed))
    spec = {"checkpoint": {"job": job["id"]}, "dataset": {"name": dataset}, "baselines": False}
    top1 = [run(url, "evaluate", {**spec, "protocol": name})[0]["result"]["top1"] for name in ("logistic", "knn")]
    return *top1, job["health"]["state"]


def arguments_given():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=".build/release/vicregd")
    parser.add_argument("--minutes", type=float, default=6, help="of each training")
    parser.add_argument("--seed", type=int, default=0, help="of each training")
    parser.add_argument("--changes", help="a file with a JSON object in each line, instead of those of the script")
    parser.add_argument("--only", action="append", help="the name of a change; may be repeated")
    parser.add_argument("--at-once", type=int, default=1, help="trainings at the same time")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each training")
    return parser.parse_args()


def main():
    arguments = arguments_given()
    changes = CHANGES
    if arguments.changes:
        with open(arguments.changes) as file:
            changes = [json.loads(line) for line in file if line.strip()]
    if arguments.only:
        changes = [change for change in changes if change["name"] in arguments.only]
    if not changes:
        sys.exit(f"no change is called {', '.join(arguments.only)}")
    with tempfile.TemporaryDirectory() as folder:
        write_split(folder)
        dataset = f"mnist-idx:{folder}"
        serving = daemon(arguments.binary, "--workers", str(arguments.at_once), "--threads-per-worker",
                         str(arguments.threads), "--dataset-root", folder)
        with serving as url, concurrent.futures.ThreadPoolExecutor(arguments.at_once) as pool:
            paces = list(pool.map(lambda change: pace(url, change, dataset), changes))
            steps = [round(rate * 60 * arguments.minutes / batch) for rate, batch in paces]
            results = list(pool.map(
                lambda change, count: learned(url, change, dataset, count, arguments.seed), changes, steps))
    print(f"{arguments.minutes:g} minutes each, {arguments.at_once} at once with {arguments.threads} threads\n")
    print("| change | images/s | steps | logistic | kNN | health |\n|---|---|---|---|---|---|")
    rows = sorted(zip(changes, paces, steps, results), key=lambda row: -row[3][0])
    for change, (rate, _), count, (logistic, knn, health) in rows:
        print(f"| {change['name']} | {rate:.0f} | {count} | {share(logistic)} | {share(knn)} | {health} |")


if __name__ == "__main__":
    main()
