#!/usr/bin/env python3
"""vicregd and PyTorch side by side: medians and ratios of every row of a table, in one go.

Each round runs every contender once, each in a process of its own after an untimed warm-up, so that a slow minute of
the machine hits all of them; every other round goes through them backwards. A training step is forward, loss,
backward and Adam on random images; a forward pass is the encoder in eval mode. Both sides must have the recipe's
number of parameters. Ratios compare medians over all rounds; the range beside one is that of the single rounds.
What two threads bring is taken inside one process, which does single steps on one thread and on all by turns: the
ratio is the median over such pairs.

    swift build -c release
    Scripts/bench_pytorch.py                                # every row, three rounds
    Scripts/bench_pytorch.py --rows seed-256,forward --rounds 5
    Scripts/bench_pytorch.py --rows small-256 --compile --json

Needs torch and torchvision, for --compile also a C++ compiler; the binary is looked for in .build/release.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from bench_peers import NETWORKS, PRESETS, PRODUCTS, TORCHVISION

FP32 = ["fp32", "fp32 channels-last"]
BF16 = "bf16 channels-last"
COMPILED = "fp32 channels-last compiled"
AVX2 = {"VICREGD_ISA": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


@dataclasses.dataclass(frozen=True)
class Contender:
    """One program on one piece of work."""
    who: str  # "vicregd", or how PyTorch computes
    kind: str  # step, forward, augmentation, pointwise, linear, or scaling: a step on one thread and on all by turns
    preset: str = "seed"
    batch: int = 256
    threads: int = 2
    avx2: bool = False

    @property
    def label(self):
        who = self.who if self.who in ["vicregd", *TORCHVISION] else f"PyTorch {self.who}"
        return f"{who}, {self.threads} thread{'s' if self.threads > 1 else ''}{', AVX2' if self.avx2 else ''}"


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table: ours against the best of some rivals."""
    name: str
    title: str
    ours: Contender
    rivals: list
    least: float  # what the ratio has to reach (products: the share of the peak); memory: must not exceed
    aim: float
    is_memory: bool = False


def rows_of(threads, with_compiled):
    """The table, in its order."""
    def versus(whos, **work):
        work = {"threads": threads, **work}
        return {"ours": Contender("vicregd", **work), "rivals": [Contender(who, **work) for who in whos]}

    # Where nothing wider than AVX2 can be had, forcing it changes nothing, and nobody runs twice.
    forced = "avx512f" in pathlib.Path("/proc/cpuinfo").read_text()
    best = FP32 + ([COMPILED] if with_compiled else [])
    return [
        Row("seed-256", "seed step, batch 256", **versus(best, kind="step"), least=2.0, aim=3.0),
        Row("bf16", "seed step, batch 256", **versus([BF16], kind="step"), least=1.0, aim=1.4),
        Row("seed-64", "seed step, batch 64", **versus(best, kind="step", batch=64), least=1.7, aim=2.5),
        Row("small-256", "small step, batch 256", **versus(best, kind="step", preset="small"), least=2.5, aim=4.0),
        Row("resnet50-224", "ResNet-50, 224 px, step, batch 16",
            **versus(best, kind="step", preset="resnet50-224", batch=16), least=1.1, aim=1.6),
        Row("resnet18-96", "ResNet-18, 96 px, ImageNet stem, step, batch 64",
            **versus(best, kind="step", preset="resnet18-96", batch=64), least=1.5, aim=2.2),
        Row("pointwise", "1×1 convolution 256→1024 on 14×14, forward, dX and dW, batch 256",
            **versus(FP32, kind="pointwise"), least=0.75, aim=0.88),
        Row("linear", "Linear 2048→2048, forward, dX and dW, batch 256",
            **versus(FP32[:1], kind="linear"), least=0.75, aim=0.88),
        Row("forward", "forward only, batch 256", **versus(best, kind="forward"), least=2.0, aim=3.0),
        Row("augmentation", "two views of each image, full recipe, one thread",
            **versus(TORCHVISION, kind="augmentation", threads=1), least=5.0, aim=20.0),
        Row("memory", "peak memory of a seed step, batch 256", **versus(FP32, kind="step"), least=0.7, aim=0.5,
            is_memory=True),
        Row("threads", f"seed step, {threads} threads against 1", **versus([], kind="scaling"),
            least=0.95 * threads, aim=0.985 * threads),
        Row("avx2", "seed step, AVX2 forced on both", **versus(best, kind="step", avx2=forced), least=1.7, aim=2.5),
    ]


@dataclasses.dataclass
class Measurement:
    """What the rounds of one contender gave."""
    rounds: list = dataclasses.field(default_factory=list)  # the steps' seconds of each round
    ratios: list = dataclasses.field(default_factory=list)  # of scaling: one thread's seconds to those of all
    shares: list = dataclasses.field(default_factory=list)  # of the arithmetic floor or the peak, ours only
    peak_bytes: int = 0
    is_cut: bool = False  # the limit ended it before a step: its seconds are at least these

    @property
    def seconds(self):
        return statistics.median(second for turn in self.rounds for second in turn)


def command(contender, arguments):
    """How a contender is started."""
    if contender.who == "vicregd":
        if contender.kind in PRODUCTS:
            return [str(arguments.binary), "bench", "products", "--batch", str(contender.batch), "--threads",
                    str(contender.threads), "--rounds", str(arguments.steps), "--json"]
        network = ["--preset", contender.preset]
        if contender.preset in NETWORKS:
            recipe = NETWORKS[contender.preset]
            network = ["--spec", json.dumps({
                "preset": "seed", "image_size": recipe["side"], "projector": {"widths": recipe["widths"]},
                "encoder": {"arch": recipe["arch"], "stem": "imagenet", "fc": None}})]
        common = [str(arguments.binary), "bench", contender.kind, *network, "--threads", str(contender.threads),
                  "--json"]
        if contender.kind == "augmentation":
            return [*common, "--dataset", f"synthetic:count={contender.batch}", "--rounds", str(arguments.steps)]
        count = "--pairs" if contender.kind == "scaling" else "--steps"
        return [*common, "--batch", str(contender.batch), count, str(arguments.steps)]
    peers = pathlib.Path(__file__).with_name("bench_peers.py")
    return [sys.executable, str(peers), "--steps", str(arguments.steps), "--child", json.dumps(vars(contender))]


def run(contender, arguments):
    """Starts a contender: its seconds a step, ratios of scaling, parameters, peak resident bytes, and whether the
    limit ended it before a whole step; the seconds are then those of the step that was not done."""
    environment = {**os.environ, **(AVX2 if contender.avx2 else {})}
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command(contender, arguments), stdout=output, env=environment)
        begin, end = time.monotonic(), None
        while True:
            done, status, usage = os.wait4(child.pid, os.WNOHANG)
            if done:
                break
            if end is None and time.monotonic() - begin > arguments.limit:
                child.kill()
                end = time.monotonic()
            time.sleep(0.02)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0 and end is None:
            sys.exit(f"{contender.label} ended with status {child.returncode}")
        output.seek(0)
        lines = [json.loads(line) for line in output if line.endswith("\n")]
    seconds, parameters = (ours if contender.who == "vicregd" else theirs)(contender, lines)
    ratios = [ratio for line in lines for ratio in line.get("ratios", [])]
    shares = [share(contender, lines[0])] if contender.who == "vicregd" and lines else []
    is_cut = not seconds
    if is_cut:
        seconds = [end - max((line["begun"] for line in lines if "begun" in line), default=begin)]
    return seconds, ratios, parameters, usage.ru_maxrss * 1024, is_cut, [one for one in shares if one]


def product_layers(contender, line):
    """The operations of one of the layers that `vicregd bench products` measures."""
    return [layer for layer in line["layers"] if layer["layer"].startswith(PRODUCTS[contender.kind])]


def share(contender, line):
    """The share of the arithmetic floor of a step, or of the peak of a product; None of the others."""
    if contender.kind not in PRODUCTS:
        return line.get("share_of_floor")
    layers = product_layers(contender, line)
    at_peak = sum(layer["share_of_peak"] * layer["seconds"] for layer in layers)
    return at_peak / sum(layer["seconds"] for layer in layers)


def ours(contender, lines):
    """The seconds of steps and the number of parameters that `vicregd bench` has printed."""
    if not lines:
        return [], None
    if contender.kind in PRODUCTS:
        return [sum(layer["seconds"] for layer in product_layers(contender, lines[0]))], None
    if contender.kind != "augmentation":
        return lines[0]["seconds"], lines[0]["parameters"]
    rate = next(row["views_per_second"] for row in lines[0]["rows"]
                if row["images"] == "colour" and row["threads"] == contender.threads)
    return [2 * contender.batch / rate], None


def theirs(_, lines):
    """The same of a child; its first step is the warm-up."""
    return ([line["seconds"] for line in lines if "seconds" in line][1:],
            next((line["parameters"] for line in lines if "parameters" in line), None))


def measure(contenders, arguments):
    """Runs all contenders in turns."""
    found = {contender: Measurement() for contender in contenders}
    for turn in range(arguments.rounds):
        for contender in contenders if turn % 2 == 0 else reversed(contenders):
            if found[contender].is_cut:
                continue
            seconds, ratios, parameters, peak, is_cut, shares = run(contender, arguments)
            parts = {"step": 2, "scaling": 2, "forward": 1, "augmentation": 0}.get(contender.kind, 0)
            expected = sum((PRESETS | NETWORKS)[contender.preset]["parameters"][:parts])
            if parameters not in (None, expected):
                sys.exit(f"{contender.label}: {parameters} parameters, the recipe has {expected}")
            measurement = found[contender]
            measurement.rounds.append(seconds)
            measurement.ratios += ratios
            measurement.shares += shares
            measurement.peak_bytes = max(measurement.peak_bytes, peak)
            measurement.is_cut = is_cut
            note = " without a step, not run again" if is_cut else ""
            print(f"round {turn + 1}: {contender.kind} {contender.preset} {contender.batch}, {contender.label}: "
                  f"{statistics.median(seconds):.3f} s{note}", file=sys.stderr, flush=True)
    return found


def compare(row, found):
    """The figures of a row: ours, the best rival, the ratio and its range over the rounds."""
    ours = found[row.ours]
    if row.is_memory:
        rival = min(row.rivals, key=lambda who: found[who].peak_bytes)
        ratio = ours.peak_bytes / found[rival].peak_bytes
        return {"best": rival, "ratio": ratio, "range": [ratio, ratio], "reached": ratio <= row.least,
                "is_at_least": False}
    if not row.rivals:
        ratio = statistics.median(ours.ratios) if ours.ratios else 0
        return {"best": dataclasses.replace(row.ours, threads=1), "ratio": ratio,
                "range": [min(ours.ratios, default=0), max(ours.ratios, default=0)], "reached": ratio >= row.least,
                "is_at_least": False}
    rival = min(row.rivals, key=lambda who: found[who].seconds)
    theirs = found[rival]
    singles = [statistics.median(b) / statistics.median(a) for a, b in zip(ours.rounds, theirs.rounds)]
    ratio = theirs.seconds / ours.seconds
    judged = statistics.median(ours.shares or [0]) if row.ours.kind in PRODUCTS else ratio
    return {"best": rival, "ratio": ratio, "range": [min(singles), max(singles)], "reached": judged >= row.least,
            "is_at_least": theirs.is_cut}


def entry(contender, measurement):
    """A contender's figures for --json."""
    seconds = measurement.seconds
    return {"who": contender.who, "threads": contender.threads, "seconds": seconds, "rounds": measurement.rounds,
            "images_per_second": contender.batch / seconds, "peak_bytes": measurement.peak_bytes,
            "share": statistics.median(measurement.shares) if measurement.shares else None, "is_cut": measurement.is_cut}


def report(rows, found, arguments):
    """Prints the table, or one JSON object."""
    results = [(row, compare(row, found)) for row in rows]
    if arguments.json:
        print(json.dumps({"rounds": arguments.rounds, "steps": arguments.steps, "rows": [
            {"row": row.name, "title": row.title, "ratio": result["ratio"], "range": result["range"],
             "is_at_least": result["is_at_least"], "least": row.least, "aim": row.aim, "reached": result["reached"],
             "against": result["best"].who, "ours": entry(row.ours, found[row.ours]),
             "rivals": [entry(rival, found[rival]) for rival in row.rivals]} for row, result in results]}))
        return
    for row, result in results:
        sign = "at least " if result["is_at_least"] else ""
        low, high = result["range"]
        goal = f"{'at most' if row.is_memory else 'at least'} {row.least}, aim {row.aim}{' of the peak' if row.ours.kind in PRODUCTS else ''}"
        print(f"\n{row.name}: {row.title}: {sign}{result['ratio']:.2f} ({low:.2f} to {high:.2f}) against "
              f"{result['best'].label}; {goal}: {'reached' if result['reached'] else 'missed'}")
        for contender in [row.ours, *row.rivals]:
            measurement = found[contender]
            mark = ">" if measurement.is_cut else " "
            rate = contender.batch / measurement.seconds
            of = "peak" if contender.kind in PRODUCTS else "floor"
            share_text = f"{statistics.median(measurement.shares):7.0%} of the {of}" if measurement.shares else ""
            print(f"  {contender.label:48}{mark}{measurement.seconds:8.3f} s{rate:10.1f} images/s"
                  f"{measurement.peak_bytes / 1e6:8.0f} MB{share_text}")


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    names = [row.name for row in rows_of(2, False)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default=",".join(names), help=f"of {', '.join(names)} [all]")
    parser.add_argument("--rounds", type=int, default=3, help="[3]")
    parser.add_argument("--steps", type=int, default=2, help="timed steps of a contender in a round [2]")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="[one a core]")
    parser.add_argument("--limit", type=float, default=180, help="seconds of a contender in a round [180]")
    parser.add_argument("--compile", action="store_true", help="let torch.compile take part in fp32")
    parser.add_argument("--binary", type=pathlib.Path, default=root / ".build/release/vicregd")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.steps, arguments.threads) < 1 or arguments.limit <= 0:
        parser.error("--rounds, --steps, --threads and --limit must be positive")
    chosen = arguments.rows.split(",")
    unknown = sorted(set(chosen) - set(names))
    if unknown:
        parser.error(f"--rows: there is no row {', '.join(unknown)}; there are {', '.join(names)}")
    if not arguments.binary.exists():
        parser.error(f"--binary: there is no {arguments.binary}; build it with swift build -c release")
    rows = [row for row in rows_of(arguments.threads, arguments.compile) if row.name in chosen]
    contenders = list(dict.fromkeys(who for row in rows for who in [row.ours, *row.rivals]))
    report(rows, measure(contenders, arguments), arguments)


if __name__ == "__main__":
    main()
