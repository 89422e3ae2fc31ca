#!/usr/bin/env python3
"""How long a sweep of small trials takes with each fixed split of the cores, and with `--workers auto`.

    bench_placement.py [--binary PATH] [--trials 12] [--rounds 3] [--sizes tiny,small,…] [--json]

For each size, in turns, each setting gets a daemon of its own and the same trials at once: the time from the first
start to the last end counts. One job alone is timed as well, as it should have all cores. Prints medians over the
rounds and, for `auto`, its ratio to the best fixed setting. The machine should do nothing else meanwhile.

`scaling` in the output is what the threads of one worker bring: a lone trial's seconds on one thread by those on all.
"""

import argparse
import datetime
import json
import os
import statistics
import sys

from daemon import daemon, fetch

# The members of a trial of each size.
SIZES = {
    "tiny": {"encoder": {"width": 16}, "projector": {"widths": [64, 64]}, "batch_size": 16,
             "dataset": {"name": "synthetic", "limit": 256}, "epochs": 4},
    "small": {"encoder": {"width": 16}, "projector": {"widths": [256, 256]}, "batch_size": 64,
              "dataset": {"name": "synthetic", "limit": 1024}, "epochs": 2},
    "medium": {"encoder": {"width": 32}, "projector": {"widths": [512, 512]}, "batch_size": 128,
               "dataset": {"name": "synthetic", "limit": 1024}, "epochs": 1},
    "large": {"encoder": {"width": 64}, "batch_size": 128, "dataset": {"name": "synthetic", "limit": 256}, "epochs": 1},
}


def jobs(size, count):
    """The request for `count` trainings, which differ in rate and seed."""
    base = {"preset": "small", "online": None, "checkpoint": {"every_epochs": 1000}, **SIZES[size]}
    specs = [{**base, "seed": index, "optimizer": {"lr": 1e-4 * (index + 1)}} for index in range(count)]
    return {"jobs": [{"kind": "train", "name": f"{size} {index}", "spec": spec} for index, spec in enumerate(specs)]}


def instant(text):
    """The seconds of a time."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def seconds(binary, flags, size, count):
    """Seconds from the first start to the last end of `count` trainings, and the numbers of threads that they used."""
    with daemon(binary, *flags) as url:
        ids = [job["id"] for job in json.loads(fetch(f"{url}/jobs", jobs(size, count)))["jobs"]]
        done = []
        for job in ids:
            answer = {"state": None}
            while answer["state"] not in ("succeeded", "failed", "cancelled"):
                fetch_lines(url, job)
                answer = json.loads(fetch(f"{url}/jobs/{job}"))
            if answer["state"] != "succeeded":
                sys.exit(f"{size}: {answer['state']} {answer['reason']} {answer['message']}")
            done.append(answer)
        begun = min(instant(job["started_at"]) for job in done)
        return max(instant(job["finished_at"]) for job in done) - begun, [job["host"]["threads"] for job in done]


def fetch_lines(url, job):
    """Waits for the end of a job."""
    fetch(f"{url}/jobs/{job}/metrics?follow=true")


def settings(cores):
    """The fixed splits of the cores, and the automatic one."""
    splits = [workers for workers in range(1, cores + 1) if cores % workers == 0]
    fixed = {f"{w} × {cores // w}": ["--workers", str(w), "--threads-per-worker", str(cores // w)] for w in splits}
    return {**fixed, "auto": ["--workers", "auto"]}


def main():
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=".build/release/vicregd")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    flags = settings(len(os.sched_getaffinity(0)))
    flags_of_one = {"1 thread": ["--threads-per-worker", "1"], "all threads": [], "auto": flags["auto"]}
    times = {}
    for turn in range(arguments.rounds):
        for size in arguments.sizes.split(","):
            order = list(flags.items())
            for name, given in order if turn % 2 == 0 else reversed(order):
                time, threads = seconds(arguments.binary, given, size, arguments.trials)
                times.setdefault((size, "sweep", name), []).append(time)
                print(f"{size}, {arguments.trials} trials, {name}: {time:.2f} s, threads {threads}", file=sys.stderr)
            for name, given in flags_of_one.items():
                time, _ = seconds(arguments.binary, given, size, 1)
                times.setdefault((size, "one", name), []).append(time)
    table = []
    for size in arguments.sizes.split(","):
        medians = {(what, name): statistics.median(values)
                   for (of, what, name), values in times.items() if of == size}
        best = min(value for (what, name), value in medians.items() if what == "sweep" and name != "auto")
        table.append({
            "size": size, **{f"{what}: {name}": round(value, 2) for (what, name), value in medians.items()},
            "auto_to_best": round(medians["sweep", "auto"] / best, 3),
            "scaling": round(medians["one", "1 thread"] / medians["one", "all threads"], 2)})
    for row in table:
        print(json.dumps(row, ensure_ascii=False) if arguments.json else
              "  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
