#!/usr/bin/env python3
"""Writes resized.json: whole images as torchvision's Resize (bilinear, antialiased) makes views of them.

Needs torch and torchvision. Byte i of an image is (i * i * 7 + i * 13) % 256; results are normalised, [3][side][side].
"""
import json
import pathlib

import torch
from torchvision.transforms import v2

MEAN, STD = [0.4914, 0.4822, 0.4465], [0.247, 0.243, 0.261]
cases = []
for planes, side, target in [(3, 12, 16), (1, 16, 9), (3, 9, 5), (1, 5, 11), (3, 11, 10), (1, 24, 6)]:
    values = torch.tensor([(i * i * 7 + i * 13) % 256 for i in range(planes * side * side)], dtype=torch.float64)
    image = (values / 255).reshape(planes, side, side).expand(3, side, side)
    resized = v2.functional.resize(image, [target, target], antialias=True)
    view = v2.functional.normalize(resized, MEAN, STD)
    cases.append({"planes": planes, "side": side, "target": target,
                  "plain": [round(v, 7) for v in view.flatten().tolist()],
                  "mirrored": [round(v, 7) for v in view.flip(-1).flatten().tolist()]})
path = pathlib.Path(__file__).with_name("resized.json")
path.write_text(json.dumps({"mean": MEAN, "std": STD, "cases": cases}, separators=(",", ":")) + "\n")
print(path.name, path.stat().st_size, "bytes")
