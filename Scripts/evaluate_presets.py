#!/usr/bin/env python3
"""What a preset reaches on Fashion-MNIST by each protocol, beside raw pixels and the untrained encoder.

Starts a daemon of its own, trains the preset with several seeds on all training images, and evaluates each last
checkpoint on the test images: `logistic` and `knn` with all labels, `logistic` with 1% and 10% of them, and
`finetune` with 1% and 10%. Prints a Markdown table: means over the seeds of the training, and their standard
deviations. The times are those of one training, and of one `logistic` evaluation with its baselines.

  evaluate_presets.py --binary .build/release/vicregd
  evaluate_presets.py --presets small,fashion-hour --seeds 3
"""

import argparse
import concurrent.futures
import os

from compare_methods import DATASET, run, spread
from daemon import daemon

PROTOCOLS = [
    ("logistic", {"protocol": "logistic"}),
    ("kNN", {"protocol": "knn"}),
    ("logistic, 10% of the labels", {"protocol": "logistic", "label_share": 0.1}),
    ("logistic, 1% of the labels", {"protocol": "logistic", "label_share": 0.01}),
    ("finetune, 10% of the labels", {"protocol": "finetune", "label_share": 0.1}),
    ("finetune, 1% of the labels", {"protocol": "finetune", "label_share": 0.01}),
]


def evaluated(url, job, members):
    """The result of an evaluation of a training's last checkpoint."""
    spec = {"checkpoint": {"job": job["id"]}, "dataset": {"name": DATASET}, **members}
    return run(url, "evaluate", spec)[0]["result"]


def arguments_given():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=".build/release/vicregd")
    parser.add_argument("--presets", default="small", help="a list with commas")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each preset")
    parser.add_argument("--at-once", type=int, default=1, help="jobs at the same time")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each job")
    return parser.parse_args()


def main():
    arguments = arguments_given()
    presets = arguments.presets.split(",")
    serving = daemon(arguments.binary, "--workers", str(arguments.at_once), "--threads-per-worker",
                     str(arguments.threads))
    with serving as url, concurrent.futures.ThreadPoolExecutor(arguments.at_once) as pool:
        for preset in presets:
            trained = list(pool.map(
                lambda seed: run(url, "train", {"preset": preset, "dataset": {"name": DATASET}, "seed": seed})[0],
                range(arguments.seeds)))
            minutes = sum(job["running_seconds"] for job in trained) / len(trained) / 60
            print(f"\n**{preset}**: {minutes:.1f} minutes each, {arguments.at_once} at once with "
                  f"{arguments.threads} threads\n")
            print("| protocol | top-1 | untrained | raw pixels | seconds |\n|---|---|---|---|---|", flush=True)
            for name, members in PROTOCOLS:
                results = list(pool.map(lambda job: evaluated(url, job, members), trained))
                baselines = [[result["baselines"][key] for result in results] for key in ("untrained", "raw_pixels")]
                seconds = sum(result["seconds"] for result in results) / len(results)
                print(f"| {name} | {spread([result['top1'] for result in results])} | {spread(baselines[0])} | "
                      f"{spread(baselines[1])} | {seconds:.0f} |", flush=True)
                for result in results:
                    if "not" in result["verdict"]:
                        print(f"\n{name}: {result['verdict']}\n")


if __name__ == "__main__":
    main()
