#!/usr/bin/env python3
"""Writes augmentations.json and augmentations.bin.gz: what torchvision makes of small images.

Needs torch, torchvision, numpy, pillow, the photographs of scikit-image's wheel (its path is the only
argument; astronaut: NASA, public domain; coffee and chelsea: CC0) and Debian's dataset-fashion-mnist.
Binary file: images as bytes [planes][height][width], then results as little-endian float32 [3][side][side].
"""
import gzip
import io
import json
import pathlib
import sys
import zipfile

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image

HERE = pathlib.Path(__file__).parent
MEAN, STD = [0.4914, 0.4822, 0.4465], [0.247, 0.243, 0.261]
NAMES = ["brightness", "contrast", "saturation", "hue"]


def photograph(wheel, name, box, size):
    """Cuts `box` out of a photograph and reduces it to `size` = (width, height)."""
    with wheel.open(f"skimage/data/{name}.png") as file:
        image = Image.open(io.BytesIO(file.read())).convert("RGB").crop(box).resize(size, Image.LANCZOS)
    return np.asarray(image).transpose(2, 0, 1)


def palette():
    """Every mix of five levels, then greys and random colours: ties and corners of the hue circle."""
    levels = np.array([0, 64, 128, 191, 255])
    mixes = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)
    greys = np.repeat(np.arange(256)[:, None], 3, 1)
    rest = np.random.default_rng(1).integers(0, 256, (32 * 32 - 125 - 256, 3))
    return np.concatenate([mixes, greys, rest]).reshape(32, 32, 3).transpose(2, 0, 1)


def fashion(index):
    with gzip.open("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz") as file:
        file.seek(16 + 784 * index)
        return np.pad(np.frombuffer(file.read(784), np.uint8).reshape(1, 28, 28), ((0, 0), (2, 2), (2, 2)))


wheel = zipfile.ZipFile(sys.argv[1])
images = {
    "astronaut": photograph(wheel, "astronaut", (96, 0, 352, 256), (32, 32)),
    "coffee": photograph(wheel, "coffee", (40, 0, 520, 400), (48, 40)),
    "chelsea": photograph(wheel, "chelsea", (90, 30, 330, 270), (19, 19)),
    "palette": palette(),
    "boot": fashion(0),
    "shirt": fashion(1),
}
binary = b""
image_table, cases = {}, []
for name, image in images.items():
    planes, height, width = image.shape
    image_table[name] = dict(planes=planes, height=height, width=width, offset=len(binary))
    binary += image.astype(np.uint8).tobytes()


def tensor(name):
    image = torch.from_numpy(images[name].astype(np.float32)) / 255
    return image.expand(3, -1, -1).contiguous()


def add(operation, image, result, **parameters):
    global binary
    cases.append(dict(operation=operation, image=image, side=result.shape[-1], offset=len(binary),
                      parameters=parameters))
    binary += result.contiguous().numpy().astype("<f4").tobytes()


def crop(image, top, left, height, width, side, flip, antialias):
    result = F.resized_crop(tensor(image), top, left, height, width, [side, side], antialias=antialias)
    return F.hflip(result) if flip else result


for image, box, side in [
    ("astronaut", (0, 0, 32, 32), 32), ("astronaut", (3, 5, 17, 24), 32), ("astronaut", (0, 20, 32, 12), 32),
    ("coffee", (0, 0, 40, 48), 16), ("coffee", (7, 1, 33, 40), 9), ("coffee", (10, 20, 5, 28), 24),
    ("coffee", (39, 47, 1, 1), 8), ("coffee", (2, 46, 30, 2), 13), ("boot", (4, 6, 21, 19), 32),
]:
    for flip, antialias in [(0, 0), (0, 1), (1, 1), (1, 0)][:4 if side < 20 else 2]:
        add("crop", image, crop(image, *box, side, flip, bool(antialias)), top=box[0], left=box[1],
            height=box[2], width=box[3], flip=flip, antialias=antialias)

for image in ["palette", "chelsea", "shirt"]:
    x = tensor(image)
    few = image != "chelsea"
    for factor in [0.6, 1.4] if few else [0.0, 0.75, 1.9]:
        add("brightness", image, F.adjust_brightness(x, factor), value=factor)
        add("contrast", image, F.adjust_contrast(x, factor), value=factor)
        add("saturation", image, F.adjust_saturation(x, factor), value=factor)
    for shift in [0.1, -0.37] if few else [-0.5, -0.1, 0.03, 0.25, 0.5]:
        add("hue", image, F.adjust_hue(x, shift), value=shift)
    add("gray", image, F.rgb_to_grayscale(x, 3))
    for size, sigma in [(3, 0.7)] if few else [(1, 1.0), (3, 0.1), (3, 2.0), (5, 1.3), (9, 1.7), (23, 5.0)]:
        if size // 2 < x.shape[-1]:
            add("blur", image, F.gaussian_blur(x, [size, size], [sigma, sigma]), size=size, sigma=sigma)

# Whole views: crop, flip, jitter in an order, gray, blur, solarize, normalise.
views = [
    ("astronaut", (2, 3, 20, 26), 0, [3, 0, 2, 1], (1.3, 0.7, 1.15, 0.08), 0, None, 0),
    ("astronaut", (9, 0, 15, 18), 1, [1, 2, 3, 0], (0.8, 1.4, 0.8, -0.1), 0, 1.2, 1),
    ("palette", (0, 0, 32, 32), 0, [2, 1, 0, 3], (1.1, 1.2, 1.2, 0.05), 0, 0.4, 1),
    ("chelsea", (1, 2, 15, 12), 1, [0, 1, 2, 3], (1.4, 0.6, 0.9, 0.1), 1, 2.0, 0),
    ("boot", (5, 2, 24, 20), 1, [2, 3, 1, 0], (0.7, 1.3, 1.2, 0.1), 0, 0.9, 0),
    ("shirt", (0, 0, 32, 32), 0, [1, 0, 3, 2], (1.4, 1.4, 0.8, -0.1), 1, None, 1),
    ("shirt", (3, 4, 22, 19), 0, None, None, 0, None, 0),
]
for image, box, flip, order, factors, gray, sigma, solarize in views:
    side = images[image].shape[-1]
    x = crop(image, *box, side, flip, False)
    if order:
        for operation in order:
            x = getattr(F, "adjust_" + NAMES[operation])(x, factors[operation])
    if gray:
        x = F.rgb_to_grayscale(x, 3)
    if sigma:
        x = F.gaussian_blur(x, [3, 3], [sigma, sigma])
    if solarize:
        x = F.solarize(x, 0.5)
    parameters = dict(top=box[0], left=box[1], height=box[2], width=box[3], flip=flip, gray=gray,
                      solarize=solarize)
    if order:
        parameters |= {f"order{i}": o for i, o in enumerate(order)} | dict(zip(NAMES, factors))
    if sigma:
        parameters["sigma"] = sigma
    add("view", image, F.normalize(x, MEAN, STD), **parameters)
for image in ["astronaut", "shirt"]:
    add("plain", image, F.normalize(tensor(image), MEAN, STD))
    add("mirrored", image, F.normalize(F.hflip(tensor(image)), MEAN, STD))

with open(HERE / "augmentations.json", "w") as file:
    table = json.dumps(dict(mean=MEAN, std=STD, images=image_table), indent=1)[:-2]
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    file.write(f'{table},\n "cases": [\n  {lines}\n ]\n}}\n')
with gzip.GzipFile(HERE / "augmentations.bin.gz", "wb", mtime=0) as file:
    file.write(binary)
print(len(cases), "cases,", len(binary), "bytes")
