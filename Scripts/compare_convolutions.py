#!/usr/bin/env python3
"""The loss curves of one training with `convolution` auto and direct: plotted, and their largest difference reported.

Starts a daemon of its own, trains the same specification once with each, so that nothing but rounding differs (images,
views, order and first weights are the same), and compares the moving averages of loss, inv, var and cov. With
--yardstick it also trains direct once more with the instruction set baseline, which rounds differently as well: how far
those curves lie apart says what rounding alone does to this training.

    swift build -c release
    Scripts/compare_convolutions.py --preset small --steps 200 --plot curves.png

Needs matplotlib and numpy; the binary is looked for in .build/release.
"""

import argparse
import json
import pathlib
import sys

import matplotlib
import numpy

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

from daemon import daemon, fetch  # noqa: E402

CURVES = ["loss", "inv", "var", "cov"]
# Name of a run, its `convolution`, and the instruction set that is forced on it.
RUNS = [("direct", "direct", None), ("auto", "auto", None)]
YARDSTICK = ("direct, baseline", "direct", "baseline")


def train(arguments, convolution, isa):
    """The curves of one training, an array of each, and the seconds of its steps together."""
    spec = {"preset": arguments.preset, "convolution": convolution, "seed": arguments.seed,
            "max_steps": arguments.steps, "log_every_steps": 1}
    if arguments.batch_size:
        spec["batch_size"] = arguments.batch_size
    with daemon(arguments.binary, isa=isa) as url:
        here = f"{url}/jobs/{json.loads(fetch(f'{url}/jobs', {'kind': 'train', 'spec': spec}))['id']}"
        lines = [json.loads(line) for line in fetch(f"{here}/metrics?follow=true").splitlines() if line]
        job = json.loads(fetch(here))
    if job["state"] != "succeeded":
        sys.exit(f"the training with {convolution} ended as {job['state']}, {job['reason']}: {job['message']}")
    metrics = [line for line in lines if line["event"] == "metric"]
    seconds = sum(job["spec"]["batch_size"] / line["images_per_second"] for line in metrics)
    return {name: numpy.array([line[name] for line in metrics], float) for name in CURVES}, seconds, job["spec"]


def smoothed(curve, window):
    """The moving average over `window` steps, where it is whole."""
    return numpy.convolve(curve, numpy.ones(window) / window, mode="valid")


def difference(one, other, window):
    """The largest distance of two smoothed curves: absolute, relative to the second, and after which step."""
    a, b = smoothed(one, window), smoothed(other, window)
    distance = numpy.abs(a - b)
    relative = distance / numpy.abs(b)
    return distance.max(), relative.max(), int(relative.argmax()) + window


def plot(runs, spec, arguments):
    """Single steps thin, moving averages thick; one picture for each curve, and their distances below."""
    figure, axes = pyplot.subplots(2, len(CURVES), figsize=(20, 9), height_ratios=[3, 1], sharex=True)
    steps = numpy.arange(1, arguments.steps + 1)
    late = steps[arguments.window - 1:]
    for column, name in enumerate(CURVES):
        top, bottom = axes[:, column]
        for (label, curves), style in zip(runs.items(), ["-", "--", ":"]):
            line, = top.plot(late, smoothed(curves[name], arguments.window), style, label=label, linewidth=2)
            top.plot(steps, curves[name], color=line.get_color(), alpha=0.25, linewidth=0.7)
            if label != "direct":
                relative = smoothed(curves[name], arguments.window) / smoothed(runs["direct"][name],
                                                                                arguments.window) - 1
                bottom.plot(late, 100 * relative, style, color=line.get_color())
        top.set_title(name)
        bottom.set_ylabel("% from direct")
        bottom.set_xlabel("step")
    axes[0, 0].legend()
    figure.suptitle(f"{spec['preset']}, batch {spec['batch_size']}, {spec['dataset']['name']}, "
                    f"moving average of {arguments.window} steps")
    figure.tight_layout()
    figure.savefig(arguments.plot, dpi=80)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="small", help="[small]")
    parser.add_argument("--batch-size", type=int, help="[the preset's]")
    parser.add_argument("--steps", type=int, default=200, help="[200]")
    parser.add_argument("--seed", type=int, default=0, help="[0]")
    parser.add_argument("--window", type=int, default=20, help="steps of the moving average [20]")
    parser.add_argument("--plot", type=pathlib.Path, default=pathlib.Path("convolutions.png"))
    parser.add_argument("--yardstick", action="store_true", help="also train direct with the instruction set baseline")
    parser.add_argument("--binary", type=pathlib.Path, default=root / ".build/release/vicregd")
    arguments = parser.parse_args()
    if not 1 <= arguments.window <= arguments.steps:
        parser.error("--window must be from 1 to --steps")
    runs = {}
    for label, convolution, isa in RUNS + ([YARDSTICK] if arguments.yardstick else []):
        runs[label], seconds, spec = train(arguments, convolution, isa)
        print(f"{label}: {arguments.steps} steps in {seconds:.1f} s, loss {runs[label]['loss'][0]:.4f} to "
              f"{smoothed(runs[label]['loss'], arguments.window)[-1]:.4f}")
    plot(runs, spec, arguments)
    print(f"largest distance from direct, moving average of {arguments.window} steps:")
    for label in [label for label in runs if label != "direct"]:
        for name in CURVES:
            absolute, relative, step = difference(runs[label][name], runs["direct"][name], arguments.window)
            first = abs(runs[label][name][0] / runs["direct"][name][0] - 1)
            print(f"  {label:18}{name:5} absolute {absolute:.3g}, relative {100 * relative:.3g} % (to step {step}); "
                  f"step 1 {100 * first:.2g} %")
    print(f"curves: {arguments.plot}")


if __name__ == "__main__":
    main()
