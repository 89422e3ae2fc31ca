#!/usr/bin/env python3
"""One training step here and in PyTorch, in turns: medians, ratios and peak memory.

Each round runs every contender once, each in a process of its own, so that a slow minute of the machine hits all of them.
A step is forward, loss, backward and Adam on random images; the network is the preset's.

    swift build -c release
    Scripts/bench_pytorch.py --preset seed --batch 256 --rounds 3

Needs torch and torchvision; the binary is looked for in .build/release.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

VARIANTS = ["fp32", "fp32 channels-last", "bf16 channels-last"]
PRESETS = {
    "seed": {"width": 64, "padding": 0, "bias": True, "fc": 512, "widths": [1024] * 4},
    "small": {"width": 16, "padding": 1, "bias": False, "fc": 2048, "widths": [256] * 3},
}


def network(width, padding, bias, fc, widths):
    """The encoder of torchvision's blocks and the projector."""
    from torch import nn
    from torchvision.models.resnet import BasicBlock, ResNet

    encoder = ResNet(BasicBlock, [2, 2, 2, 2], num_classes=fc or 1)
    encoder.inplanes = width
    encoder.conv1 = nn.Conv2d(3, width, 3, 1, padding, bias=bias)
    encoder.bn1 = nn.BatchNorm2d(width)
    encoder.maxpool = nn.Identity()
    for stage in range(4):
        layer = encoder._make_layer(BasicBlock, width << stage, 2, stride=1 if stage == 0 else 2)
        setattr(encoder, f"layer{stage + 1}", layer)
    encoder.fc = nn.Linear(width * 8, fc) if fc else nn.Identity()
    layers, inputs = [], fc or width * 8
    for number, outputs in enumerate(widths):
        layers.append(nn.Linear(inputs, outputs))
        if number + 1 < len(widths):
            layers += [nn.BatchNorm1d(outputs), nn.ReLU(inplace=True)]
        inputs = outputs
    return nn.Sequential(encoder, *layers)


def vicreg(z1, z2):
    """The seed recipe's loss."""
    import torch.nn.functional as F

    def covariance(z):
        z = z - z.mean(0)
        c = z.T @ z / (len(z) - 1)
        return (c.pow(2).sum() - c.diagonal().pow(2).sum()) / z.shape[1]

    hinge = F.relu(1 - z1.std(0)).mean() + F.relu(1 - z2.std(0)).mean()
    return 25 * F.mse_loss(z1, z2) + 25 * hinge + covariance(z1) + covariance(z2)


def run_pytorch(arguments):
    """Times steps of one variant in this process and prints them as JSON."""
    import torch

    torch.set_num_threads(arguments.threads)
    model = network(**PRESETS[arguments.preset]).train()
    images = torch.rand(2 * arguments.batch, 3, 32, 32) * 4 - 2
    if "channels-last" in arguments.variant:
        model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, weight_decay=1e-6)
    seconds = []
    for _ in range(arguments.steps + 1):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in arguments.variant):
            z = model(images)
        loss = vicreg(*z.float().chunk(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds[1:]}))


def measure(command):
    """The seconds that a contender prints, and its peak resident memory in bytes."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with status {child.returncode}")
    return json.loads(output)["seconds"], usage.ru_maxrss * 1024


def contenders(arguments):
    """Name and command of everybody who takes part."""
    common = ["--preset", arguments.preset, "--batch", str(arguments.batch), "--threads", str(arguments.threads),
              "--steps", str(arguments.steps)]
    yield "vicregd", [str(arguments.binary), "bench", "step", *common, "--json"]
    for variant in VARIANTS:
        yield f"PyTorch {variant}", [sys.executable, __file__, "--variant", variant, *common]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=PRESETS, default="seed")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--steps", type=int, default=3, help="timed steps of each contender in each round")
    parser.add_argument("--rounds", type=int, default=3)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--binary", type=pathlib.Path, default=root / ".build/release/vicregd")
    parser.add_argument("--variant", choices=VARIANTS, help="internal: time this one here")
    arguments = parser.parse_args()
    if arguments.variant:
        run_pytorch(arguments)
        return
    seconds, peak = {}, {}
    for turn in range(arguments.rounds):
        for name, command in contenders(arguments):
            steps, memory = measure(command)
            seconds.setdefault(name, []).extend(steps)
            peak[name] = max(peak.get(name, 0), memory)
            print(f"round {turn + 1}: {name}: {statistics.median(steps):.3f} s", file=sys.stderr)
    ours = statistics.median(seconds["vicregd"])
    print(f"{arguments.preset}, batch {arguments.batch}, {arguments.threads} threads, {arguments.rounds} rounds "
          f"of {arguments.steps} steps")
    print(f"{'':28}{'s/step':>9}{'images/s':>10}{'vicregd is':>12}{'peak MB':>9}")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:28}{median:9.3f}{arguments.batch / median:10.1f}{median / ours:11.2f}x{peak[name] / 1e6:9.0f}")


if __name__ == "__main__":
    main()
