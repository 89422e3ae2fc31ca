"""Writes the golden numbers of whole encoders: torchvision's ResNets with both stems, at even and odd sizes.

    python make_encoders.py          # needs torch and torchvision; writes encoders.json beside this script

Inputs and summaries are those of `generator.py`. Each case is torchvision's network with another width and, for
the `cifar` stem, another first convolution and no max-pool. Everything is computed in float64 from float32 inputs;
the images are those of the seed that keeps the inputs of all ReLUs farthest from zero, as a value on the other side
changes gradients by more than rounding does. To keep the file small, gradients
have few samples, and only those of some parameters are kept; the norms of all stand in one list.
"""
import json
import math
import pathlib

import torch
import torchvision
from torch import nn

import generator
from generator import generated, rounded, summary

SEEDS = 30

CASES = [
    {"name": "resnet50 imagenet 64", "arch": "resnet50", "stem": "imagenet", "width": 16, "side": 64, "images": 4, "fc": 24},
    {"name": "resnet18 imagenet 96", "arch": "resnet18", "stem": "imagenet", "width": 16, "side": 96, "images": 3, "fc": None},
    {"name": "resnet18 imagenet 33", "arch": "resnet18", "stem": "imagenet", "width": 32, "side": 33, "images": 4, "fc": 10},
    {"name": "resnet34 imagenet 50", "arch": "resnet34", "stem": "imagenet", "width": 16, "side": 50, "images": 4, "fc": None},
    {"name": "resnet50 cifar 32", "arch": "resnet50", "stem": "cifar", "width": 16, "side": 32, "images": 3, "fc": None,
     "stem_padding": 1},
    {"name": "resnet50 cifar 17", "arch": "resnet50", "stem": "cifar", "width": 16, "side": 17, "images": 6, "fc": 20,
     "stem_padding": 0, "stem_bias": True},
    {"name": "resnet18 cifar 45", "arch": "resnet18", "stem": "cifar", "width": 16, "side": 45, "images": 3, "fc": None,
     "stem_padding": 2},
    {"name": "resnet50 imagenet 16, zero_init_residual", "arch": "resnet50", "stem": "imagenet", "width": 16, "side": 16,
     "images": 8, "fc": 12, "zero_init": True},
]


class ResNet(torchvision.models.ResNet):
    """torchvision's ResNet with a settable width and stem."""

    def __init__(self, case):
        block, blocks = {
            "resnet18": (torchvision.models.resnet.BasicBlock, [2, 2, 2, 2]),
            "resnet34": (torchvision.models.resnet.BasicBlock, [3, 4, 6, 3]),
            "resnet50": (torchvision.models.resnet.Bottleneck, [3, 4, 6, 3]),
        }[case["arch"]]
        super().__init__(block, [1, 1, 1, 1])
        width = case["width"]
        self.inplanes = width
        if case["stem"] == "cifar":
            self.conv1 = nn.Conv2d(3, width, 3, 1, case["stem_padding"], bias=case.get("stem_bias", False))
            self.maxpool = nn.Identity()
        else:
            self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        for i, count in enumerate(blocks):
            setattr(self, f"layer{i + 1}", self._make_layer(block, width << i, count, stride=1 if i == 0 else 2))
        outputs = width * 8 * block.expansion
        self.fc = nn.Linear(outputs, case["fc"]) if case["fc"] else nn.Identity()


def network(case):
    model = ResNet(case)
    last = "bn3" if case["arch"] == "resnet50" else "bn2"
    with torch.no_grad():
        for i, (name, p) in enumerate(model.named_parameters()):
            if p.ndim > 1:
                p.copy_(generated(7000 + i, tuple(p.shape), math.sqrt(6 / p[0].numel())))
            elif name.endswith(f"{last}.weight"):  # small, as in trained networks: so rounding errors grow less
                p.copy_(generated(7000 + i, tuple(p.shape), 0.1, 0.25) * (0 if case["zero_init"] else 1))
            else:
                p.copy_(generated(7000 + i, tuple(p.shape), 0.25, 1.0 if name.endswith("weight") else 0.0))
    return model


def run(case, seed, dtype):
    """One pass forward and back; the network afterwards, with its gradients, and the features."""
    model = network(case).to(dtype).train()
    images = generated(seed, (case["images"], 3, case["side"], case["side"]), 2).to(dtype)
    features = model(images)
    features.backward(generated(seed + 1, tuple(features.shape)).to(dtype))
    return model, features


def error(case, seed):
    double, single = run(case, seed, torch.float64)[0], run(case, seed, torch.float32)[0]
    pairs = zip(double.parameters(), single.parameters())
    return max(((b.grad - a.grad).norm() / a.grad.norm()).item() for a, b in pairs if a.grad.norm() > 1e-9)


def margin(case, seed):
    """How near any input of a ReLU comes to its kink."""
    model, nearest = network(case).double().train(), []
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda _, inputs: nearest.append(inputs[0].abs().min().item()))
    with torch.no_grad():
        model(generated(seed, (case["images"], 3, case["side"], case["side"]), 2))
    return min(nearest)


def kept(names):
    """The stem's, the head's, and those of the first and last block of each stage."""
    return [n for n in names if not n.startswith("layer") or n.split(".")[1] in "01"]


def encoders():
    generator.SAMPLES = 16
    cases = []
    for number, base in enumerate(CASES):
        case = {"stem_padding": 0, "stem_bias": False, "zero_init": False} | base
        seeds = [20_000 + 1_000 * number + 10 * k for k in range(SEEDS)]
        seed = max(seeds, key=lambda seed: margin(case, seed))
        model, features = run(case, seed, torch.float64)
        gradients = dict(model.named_parameters())
        images = generated(seed, (case["images"], 3, case["side"], case["side"]), 2)
        case |= {
            "seed": seed, "features": summary(features),
            "parameters": [{"name": n, "shape": list(p.shape), "norm": rounded(p.grad.norm().item())}
                           for n, p in gradients.items()],
            "gradients": [summary(gradients[n].grad) | {"name": n} for n in kept(gradients)],
            "buffers": [summary(b) | {"name": n} for n, b in model.named_buffers()
                        if n in kept([n]) and not n.endswith("tracked")],
            "evaluated": summary(model.eval()(images))}
        print(case["name"], "seed", seed, "margin", margin(case, seed), "worst relative error of PyTorch's float32",
              error(case, seed), flush=True)
        cases.append(case)
    return cases


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    path = pathlib.Path(__file__).with_name("encoders.json")
    golden = {"torch": torch.__version__, "torchvision": torchvision.__version__, "cases": encoders()}
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes")
