#!/usr/bin/env python3
"""PyTorch's side of bench_pytorch.py, which starts this script in a process of its own for each contender.

    bench_peers.py --steps 3 --child '{"who": "fp32", "kind": "step", "preset": "seed", "batch": 64, "threads": 2}'

Prints a JSON line when a step begins and one with its seconds when it is done. Needs torch and torchvision.
"""

import argparse
import json
import time
import types

# How a published recipe looks to PyTorch, and the parameters of its encoder and its projector.
PRESETS = {
    "seed": {"width": 64, "padding": 0, "bias": True, "fc": 512, "widths": [1024] * 4,
             "parameters": [11431552, 3680256]},
    "small": {"width": 16, "padding": 1, "bias": False, "fc": 2048, "widths": [256] * 3,
              "parameters": [964368, 657152]},
}
# The same for torchvision's own networks without their classifier, trained by the seed recipe's loss and optimiser.
NETWORKS = {
    "resnet50-224": {"arch": "resnet50", "side": 224, "features": 2048, "widths": [2048] * 3,
                     "parameters": [23508032, 12597248]},
    "resnet18-96": {"arch": "resnet18", "side": 96, "features": 512, "widths": [1024] * 4,
                    "parameters": [11176512, 3680256]},
}
# How `vicregd bench products` names the layers, by kind.
PRODUCTS = {"pointwise": "1×1", "linear": "linear"}
TORCHVISION = ["torchvision v2 on tensors", "torchvision v2 on PIL images"]


def encoder(width, padding, bias, fc, **_):
    """torchvision's ResNet-18 with the recipe's stem and width."""
    from torch import nn
    from torchvision.models.resnet import BasicBlock, ResNet

    model = ResNet(BasicBlock, [2, 2, 2, 2], num_classes=fc)
    model.inplanes = width
    model.conv1 = nn.Conv2d(3, width, 3, 1, padding, bias=bias)
    model.bn1 = nn.BatchNorm2d(width)
    model.maxpool = nn.Identity()
    for stage in range(4):
        setattr(model, f"layer{stage + 1}", model._make_layer(BasicBlock, width << stage, 2, stride=min(stage, 1) + 1))
    model.fc = nn.Linear(width * 8, fc)
    return model


def published(arch, **_):
    """torchvision's own network without its classifier."""
    import torch
    import torchvision

    model = getattr(torchvision.models, arch)()
    model.fc = torch.nn.Identity()
    return model


def projector(widths, fc=None, features=None, **_):
    """Linear, then (BatchNorm1d, ReLU, Linear) repeated."""
    from torch import nn

    layers = [nn.Linear(fc or features, widths[0])]
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.BatchNorm1d(inputs), nn.ReLU(inplace=True), nn.Linear(inputs, outputs)]
    return nn.Sequential(*layers)


def vicreg(z1, z2):
    """The seed recipe's loss."""
    import torch.nn.functional as F

    def covariance(z):
        z = z - z.mean(0)
        c = z.T @ z / (len(z) - 1)
        return (c.pow(2).sum() - c.diagonal().pow(2).sum()) / z.shape[1]

    hinge = F.relu(1 - z1.std(0)).mean() + F.relu(1 - z2.std(0)).mean()
    return 25 * F.mse_loss(z1, z2) + 25 * hinge + covariance(z1) + covariance(z2)


def pytorch_step(child, parts, images, autocast):
    """A function that does one training step."""
    import torch

    model = torch.nn.Sequential(*parts).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, weight_decay=1e-6, fused=True)

    def forward_and_loss(images):
        with autocast():
            z = model(images)
        return vicreg(*z.float().chunk(2))

    forward = torch.compile(forward_and_loss) if "compiled" in child.who else forward_and_loss

    def step():
        optimizer.zero_grad()
        forward(images).backward()
        optimizer.step()
    return step


def pytorch_forward(child, parts, images, autocast):
    """A function that embeds one batch."""
    import torch

    model = parts[0].eval()
    forward = torch.compile(model) if "compiled" in child.who else model

    def embed():
        with torch.inference_mode(), autocast():
            forward(images)
    return embed


def pytorch_product(child):
    """A function that does one layer's forward and backward pass."""
    import torch

    if child.kind == "pointwise":
        layer, rows = torch.nn.Conv2d(256, 1024, 1, bias=False), torch.rand(child.batch, 256, 14, 14)
    else:
        layer, rows = torch.nn.Linear(2048, 2048, bias=False), torch.rand(child.batch, 2048)
    if "channels-last" in child.who:
        layer, rows = (part.to(memory_format=torch.channels_last) for part in (layer, rows))
    rows.requires_grad_()
    gradient = torch.ones_like(layer(rows))

    def work():
        rows.grad = layer.weight.grad = None
        layer(rows).backward(gradient)
    return work


def torchvision_views(child):
    """A function that makes two views of each image of a batch by the seed recipe, image after image."""
    import torch
    from torchvision.transforms import v2

    recipe = [
        v2.RandomResizedCrop(32, scale=(0.2, 1), ratio=(3 / 4, 4 / 3), antialias=False),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
        v2.RandomGrayscale(0.2),
        v2.RandomApply([v2.GaussianBlur(3, (0.1, 2.0))], p=0.5),
    ]
    normalize = v2.Normalize((0.4914, 0.4822, 0.4465), (0.247, 0.243, 0.261))
    bytes_ = torch.randint(0, 256, (child.batch, 3, 32, 32), dtype=torch.uint8)
    if "PIL" in child.who:
        images = [v2.functional.to_pil_image(image) for image in bytes_]
        recipe += [v2.RandomSolarize(128, p=0.2), v2.ToImage(), v2.ToDtype(torch.float32, scale=True), normalize]
    else:
        images = list(bytes_.float() / 255)
        recipe += [v2.RandomSolarize(0.5, p=0.2), normalize]
    transform = v2.Compose(recipe)

    def make():
        with torch.inference_mode():
            torch.stack([transform(image) for _ in range(2) for image in images])
    return make


def run_pytorch(child, steps):
    """Times steps in this process and prints each when it ends, the warm-up first."""
    import torch

    torch.set_num_threads(child.threads)
    if child.kind == "augmentation":
        time_steps(torchvision_views(child), steps)
        return
    if child.kind in PRODUCTS:
        time_steps(pytorch_product(child), steps)
        return
    network = (PRESETS | NETWORKS)[child.preset]
    parts = [published(**network) if "arch" in network else encoder(**network)]
    if child.kind == "step":
        parts.append(projector(**network))
    side = network.get("side", 32)
    images = torch.rand(child.batch * (2 if child.kind == "step" else 1), 3, side, side) * 4 - 2
    if "channels-last" in child.who:
        images = images.to(memory_format=torch.channels_last)
        parts = [part.to(memory_format=torch.channels_last) for part in parts]

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled="bf16" in child.who)

    print(json.dumps({"parameters": sum(p.numel() for part in parts for p in part.parameters())}), flush=True)
    make = {"step": pytorch_step, "forward": pytorch_forward}[child.kind]
    time_steps(make(child, parts, images, autocast), steps)


def time_steps(work, steps):
    """Prints the time at which each call begins, and how many seconds it took."""
    for _ in range(steps + 1):
        start = time.monotonic()
        print(json.dumps({"begun": start}), flush=True)
        work()
        print(json.dumps({"seconds": time.monotonic() - start}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--child", type=json.loads, required=True, help="the contender's fields")
    arguments = parser.parse_args()
    run_pytorch(types.SimpleNamespace(**arguments.child), arguments.steps)


if __name__ == "__main__":
    main()
