#!/usr/bin/env python3
"""The seed recipe's augmentation here and in torchvision, in turns, one thread each: medians and their ratio.

Both make views of the same images: grey ones from Fashion-MNIST, and colour photographs of scikit-image cut into
32x32 tiles, which are written as a CIFAR-10 folder for the binary. torchvision gets each image as a float tensor in
memory, its v2 transforms and one thread.

    swift build -c release
    Scripts/bench_augmentation.py --rounds 5

Needs torch, torchvision and, for colours, scikit-image; the binary is looked for in .build/release.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from torchvision.transforms import v2

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.247, 0.243, 0.261)


def recipe():
    """The transforms of the seed preset, for float tensors in [0, 1]."""
    return v2.Compose([
        v2.RandomResizedCrop(32, scale=(0.2, 1), ratio=(3 / 4, 4 / 3), antialias=False),
        v2.RandomHorizontalFlip(0.5),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
        v2.RandomGrayscale(0.2),
        v2.RandomApply([v2.GaussianBlur(3, (0.1, 2))], p=0.5),
        v2.RandomSolarize(0.5, p=0.2),
        v2.Normalize(MEAN, STD),
    ])


def photographs(count):
    """Tiles of colour photographs, uint8 [count, 3, 32, 32]."""
    from skimage import data

    tiles = []
    for picture in [data.astronaut(), data.coffee(), data.chelsea()]:
        for top in range(0, picture.shape[0] - 31, 32):
            for left in range(0, picture.shape[1] - 31, 32):
                tiles.append(picture[top:top + 32, left:left + 32].transpose(2, 0, 1))
    return np.stack((tiles * (count // len(tiles) + 1))[:count])


def write_cifar(images, folder):
    """The images as the five training files and the test file of CIFAR-10."""
    names = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
    parts = np.array_split(images, 5) + [images[:1]]
    for name, part in zip(names, parts):
        labels = np.zeros((len(part), 1), np.uint8)
        (folder / name).write_bytes(np.hstack([labels, part.reshape(len(part), -1)]).tobytes())


def garments(count):
    """Fashion-MNIST as Debian packages it, padded to 32x32, uint8 [count, 1, 32, 32]."""
    import gzip

    with gzip.open("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + count * 784)[16:], np.uint8).reshape(count, 1, 28, 28)
    return np.pad(pixels, ((0, 0), (0, 0), (2, 2), (2, 2)))


def rate_of_torchvision(images):
    """Views a second, two of each image."""
    transform = recipe()
    tensors = [torch.from_numpy(image.astype(np.float32) / 255).expand(3, -1, -1).contiguous() for image in images]
    start = time.perf_counter()
    for tensor in tensors:
        transform(tensor)
        transform(tensor)
    return 2 * len(tensors) / (time.perf_counter() - start)


def rate_of_binary(binary, dataset, count, kind):
    """Views a second that `vicregd bench augmentation` reports for one thread."""
    command = [binary, "bench", "augmentation", "--dataset", dataset, "--limit", str(count), "--threads", "1",
               "--rounds", "20", "--json"]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["rows"]
    return next(row["views_per_second"] for row in rows if row["images"] == kind and row["threads"] == 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--binary", type=pathlib.Path, default=root / ".build/release/vicregd")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=500)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        colour = photographs(arguments.images)
        write_cifar(colour, pathlib.Path(folder))
        contenders = [("colour", colour, f"cifar10:{folder}"),
                      ("grey", garments(arguments.images), "fashion-mnist")]
        ours, theirs = {}, {}
        for turn in range(arguments.rounds):
            for kind, images, dataset in contenders:
                theirs.setdefault(kind, []).append(rate_of_torchvision(images))
                ours.setdefault(kind, []).append(rate_of_binary(arguments.binary, dataset, len(images), kind))
                print(f"round {turn + 1}: {kind}: vicregd {ours[kind][-1]:.0f}, torchvision "
                      f"{theirs[kind][-1]:.0f} views/s", file=sys.stderr)
    print(f"{arguments.images} images of 32x32, one thread each, {arguments.rounds} rounds, views/s")
    print(f"{'':10}{'vicregd':>10}{'torchvision':>13}{'ratio':>8}")
    for kind in ours:
        a, b = statistics.median(ours[kind]), statistics.median(theirs[kind])
        print(f"{kind:10}{a:10.0f}{b:13.0f}{a / b:7.1f}x")


if __name__ == "__main__":
    main()
