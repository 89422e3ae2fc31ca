#!/usr/bin/env python3
"""The daemon's evaluations and those of scikit-learn and PyTorch, on the same encoder and the same images.

Starts a daemon of its own, trains a small encoder on Fashion-MNIST, rebuilds it in PyTorch from its last
checkpoint, and compares for the pooled features and the embedding of the same images:

- `logistic`: scikit-learn's StandardScaler and LogisticRegression (lbfgs, with the daemon's ridge) must be within
  0.1 points,
- `knn`: scikit-learn's KNeighborsClassifier (cosine, weights exp(similarity / 0.07)) must predict the same class for
  every image, except where its two highest votes nearly tie,
- the confusion matrix and predictions.npy must be those of the predictions,
- `finetune`, three seeds each: PyTorch's mean must lie within the spread of the seeds.

Ends with status 1 where one does not. Needs torch, torchvision, scikit-learn, numpy and safetensors:
  check_evaluations.py --binary .build/release/vicregd
"""

import argparse
import gzip
import io
import json
import sys

import numpy
import torch
from safetensors.torch import load as load_safetensors
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from torch.nn import functional

from daemon import daemon, fetch
from reference_training import build
from side_by_side import dataset_file

LOGISTIC_POINTS = 0.1
TIE = 1e-4
BATCH = 256


def run_job(url, kind, spec):
    """Queues a job, waits for its end and returns the finished job."""
    here = f"{url}/jobs/{json.loads(fetch(f'{url}/jobs', {'kind': kind, 'spec': spec}))['id']}"
    fetch(f"{here}/metrics?follow=true")
    job = json.loads(fetch(here))
    if job["state"] != "succeeded":
        sys.exit(f"the job ended as {job['state']}, {job['reason']}: {job['message']}")
    return job


def images(url, split, limit):
    """Normalised images and their labels."""
    description = json.loads(fetch(f"{url}/datasets/fashion-mnist"))
    prefix = {"train": "train", "test": "t10k"}[split]
    pixels = dataset_file(f"{prefix}-images-idx3-ubyte", 0x803)[:limit]
    labels = dataset_file(f"{prefix}-labels-idx1-ubyte", 0x801)[:limit]
    values = torch.from_numpy(numpy.pad(pixels, ((0, 0), (2, 2), (2, 2)))).float().div(255).unsqueeze(1)
    mean, std = (torch.tensor(description[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    return ((values.expand(-1, 3, -1, -1) - mean) / std).contiguous(), labels.astype(numpy.int64)


def features(model, values, layer):
    """Pooled features, or the embedding, in eval mode."""
    encoder = model.encoder
    fc, encoder.fc = encoder.fc, torch.nn.Identity()
    rows = []
    with torch.no_grad():
        for batch in values.split(BATCH):
            pooled = encoder(batch)
            rows.append(model.projector(fc(pooled)) if layer == "embedding" else pooled)
    encoder.fc = fc
    return torch.cat(rows).numpy().astype(numpy.float64)


def evaluation(url, training, limit, **members):
    """The result of an evaluation, and its predictions."""
    spec = {"checkpoint": {"job": training}, "dataset": {"name": "fashion-mnist", "limit": limit}, **members}
    job = run_job(url, "evaluate", spec)
    predictions = numpy.load(io.BytesIO(fetch(f"{url}/jobs/{job['id']}/artifacts/predictions.npy")))
    confusion = json.loads(fetch(f"{url}/jobs/{job['id']}/artifacts/confusion.json"))
    return job["result"], predictions, confusion["confusion"]


def check_logistic(result, train, test):
    """scikit-learn's accuracy with the same ridge, and whether it agrees."""
    scaler = StandardScaler().fit(train[0])
    model = LogisticRegression(C=1 / (result["ridge"] * len(train[1])), tol=1e-6, max_iter=10_000)
    model.fit(scaler.transform(train[0]), train[1])
    theirs = model.score(scaler.transform(test[0]), test[1])
    return theirs, abs(theirs - result["top1"]) * 100 <= LOGISTIC_POINTS


def check_neighbours(result, predictions, train, test):
    """scikit-learn's accuracy, and whether all predictions agree that are not nearly ties."""
    model = KNeighborsClassifier(
        20, metric="cosine", algorithm="brute", weights=lambda distances: numpy.exp((1 - distances) / 0.07))
    model.fit(*train)
    votes = model.predict_proba(test[0])
    highest = numpy.sort(votes, axis=1)[:, -2:]
    different = votes.argmax(axis=1) != predictions
    strange = different & (highest[:, 1] - highest[:, 0] > TIE)
    print(f"  {different.sum()} predictions differ, {strange.sum()} of them are not ties")
    return model.score(*test), not strange.any()


def crops(values, random):
    """RandomResizedCrop(scale=(0.2, 1)) and a flip, as the daemon's training images of an evaluation."""
    from torchvision.transforms import RandomResizedCrop
    side = values.shape[-1]
    rows = []
    for image in values:
        top, left, height, width = RandomResizedCrop.get_params(image, (0.2, 1.0), (3 / 4, 4 / 3))
        part = image[:, top:top + height, left:left + width].unsqueeze(0)
        view = functional.interpolate(part, (side, side), mode="bilinear", antialias=False)[0]
        rows.append(view.flip(2) if random.random() < 0.5 else view)
    return torch.stack(rows)


def fine_tuned(spec, tensors, train, test, constants, epochs, seed):
    """The accuracy of a network that is trained with one Linear on its pooled features."""
    torch.manual_seed(seed)
    random = numpy.random.default_rng(seed)
    model = build(spec, tensors)
    encoder = model.encoder
    encoder.fc = torch.nn.Identity()
    head = torch.nn.Linear(next(iter(encoder.layer4.children())).bn1.num_features, 10)
    optimizer = torch.optim.SGD([
        {"params": encoder.parameters(), "lr": constants["backbone_lr"]},
        {"params": head.parameters(), "lr": constants["head_lr"]},
    ], momentum=constants["momentum"], weight_decay=constants["weight_decay"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    labels = torch.from_numpy(train[1])
    encoder.train()
    for _ in range(epochs):
        for batch in torch.from_numpy(random.permutation(len(labels))).split(constants["batch_size"]):
            loss = functional.cross_entropy(head(encoder(crops(train[0][batch], random))), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    encoder.eval()
    with torch.no_grad():
        found = torch.cat([head(encoder(batch)).argmax(1) for batch in test[0].split(BATCH)]).numpy()
    return float((found == test[1]).mean())


def arguments_given():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=".build/release/vicregd")
    parser.add_argument("--limit", type=int, default=5000, help="images of each split")
    parser.add_argument("--steps", type=int, default=200, help="of the training")
    parser.add_argument("--epochs", type=int, default=5, help="of fine-tuning; 0 leaves it out")
    return parser.parse_args()


def main():
    """Compares everything; the status says whether it agrees."""
    options = arguments_given()
    is_good = True
    with daemon(options.binary) as url:
        training = run_job(url, "train", {
            "max_steps": options.steps, "dataset": {"name": "fashion-mnist", "limit": options.limit}})
        checkpoint = fetch(f"{url}/jobs/{training['id']}/checkpoints/last")
        tensors = load_safetensors(gzip.decompress(checkpoint))
        model = build(training["spec"], tensors).eval()
        train, test = (images(url, split, options.limit) for split in ("train", "test"))
        for layer in ("pooled", "embedding"):
            rows = [(features(model, values, layer), labels) for values, labels in (train, test)]
            for protocol in ("logistic", "knn"):
                result, predictions, confusion = evaluation(
                    url, training["id"], options.limit, protocol=protocol, layer=layer, baselines=False)
                counts = numpy.zeros((10, 10), int)
                numpy.add.at(counts, (test[1], predictions), 1)
                is_good &= counts.tolist() == confusion == result["confusion"]
                is_good &= abs((predictions == test[1]).mean() - result["top1"]) < 1e-9
                theirs, agrees = (
                    check_logistic(result, *rows) if protocol == "logistic"
                    else check_neighbours(result, predictions, *rows))
                print(f"{protocol} {layer}: {100 * result['top1']:.2f} %, scikit-learn {100 * theirs:.2f} %, "
                      f"{'agrees' if agrees else 'DIFFERS'}")
                is_good &= agrees
        if options.epochs:
            result, _, _ = evaluation(
                url, training["id"], options.limit, protocol="finetune", epochs=options.epochs, seeds=3,
                baselines=False)
            constants = {"backbone_lr": 0.01, "head_lr": 0.1, "momentum": 0.9, "weight_decay": 0, "batch_size": 256}
            theirs = [
                fine_tuned(training["spec"], tensors, train, test, constants, options.epochs, seed)
                for seed in range(3)]
            ours = [run["top1"] for run in result["runs"]]
            spread = 4.3 * numpy.sqrt((numpy.var(ours, ddof=1) + numpy.var(theirs, ddof=1)) / 3)
            agrees = abs(numpy.mean(ours) - numpy.mean(theirs)) <= max(spread, 0.005)
            print(f"finetune: {ours}, PyTorch {theirs}, {'agrees' if agrees else 'DIFFERS'}")
            is_good &= bool(agrees)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
