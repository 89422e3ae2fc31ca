#!/usr/bin/env python3
"""Records the metric lines of short trainings on the product's own engine, for HealthRuleTests.

    make_health_runs.py VICREGD [NAME...]

Each run becomes `health/NAME.jsonl` beside this script: a first line with what the rule has to know of the
specification and how the run ended, then its metric lines without times and throughput. Without names all
runs are made (about ten minutes on two cores).
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SYNTHETIC = {"name": "synthetic:count=512,classes=8,side=16,seed=1"}
FASHION = {"name": "fashion-mnist", "limit": 2048}
SMALL = {
    "preset": "small", "dataset": SYNTHETIC, "batch_size": 64, "epochs": 1000, "max_steps": 200,
    "encoder": {"width": 16, "fc": None}, "projector": {"widths": [64, 64, 32]}, "log_every_steps": 2,
    "schedule": {"name": "constant", "warmup_epochs": 0}, "optimizer": {"name": "adam", "lr": 1e-3},
    "checkpoint": {"every_epochs": 1000, "keep_last": 1},
}
# What is changed of SMALL.
RUNS = {
    "healthy-synthetic": {},
    "healthy-fashion": {"dataset": FASHION, "max_steps": 160},
    "healthy-slow": {"optimizer": {"name": "adam", "lr": 2e-4}, "schedule": {"name": "cosine",
                     "warmup_epochs": 4}},
    "healthy-wide": {"projector": {"widths": [128, 128]}, "batch_size": 32, "max_steps": 300},
    "healthy-sparse-lines": {"dataset": FASHION, "max_steps": 120, "log_every_steps": 20},
    "healthy-sgd": {"optimizer": {"name": "sgd", "lr": 0.02, "momentum": 0.9}},
    "healthy-lars": {"optimizer": {"name": "lars", "lr": 0.3, "weight_decay": 1e-6}},
    "point-without-variance": {"loss": {"var": 0, "cov": 1}},
    "point-without-both": {"loss": {"var": 0, "cov": 0}},
    "point-fashion": {"dataset": FASHION, "loss": {"var": 0, "cov": 1}, "max_steps": 100},
    "rank-without-covariance": {"loss": {"cov": 0}},
    "rank-fashion": {"dataset": FASHION, "loss": {"cov": 0, "var": 100}, "max_steps": 160},
    "exploding-adam": {"optimizer": {"name": "adam", "lr": 1}},
    "exploding-sgd": {"optimizer": {"name": "sgd", "lr": 30, "momentum": 0.9}},
    "exploding-fashion": {"dataset": FASHION, "optimizer": {"name": "adam", "lr": 0.3}, "max_steps": 60},
    "diverged": {"optimizer": {"name": "sgd", "lr": 1000, "momentum": 0}},
    "first-steps": {"max_steps": 4},
}


def merged(changes):
    spec = {**SMALL, **changes}
    for key in ("loss", "encoder"):
        if key in changes:
            spec[key] = {**SMALL.get(key, {}), **changes[key]}
    return spec


class Daemon:
    def __init__(self, program, folder):
        arguments = ["serve", "--port", "0", "--data", folder, "--workers", "1", "--threads-per-worker", "2"]
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def open(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            return urllib.request.urlopen(request).read().decode()
        except urllib.error.HTTPError as error:
            sys.exit(f"{path}: {error.read().decode()}")

    def run(self, spec):
        job = json.loads(self.open("/jobs", {"kind": "train", "spec": spec}))
        while job["state"] not in ("succeeded", "failed"):
            time.sleep(0.1)
            job = json.loads(self.open(f"/jobs/{job['id']}"))
        return job, [json.loads(line) for line in self.open(f"/jobs/{job['id']}/metrics").splitlines()]


def shortened(line):
    kept = {key: value for key, value in line.items()
            if key not in ("event", "epoch", "time", "images_per_second", "lr")}
    return {key: value if not isinstance(value, float) else float(f"{value:.6g}")
            for key, value in kept.items()}


def main(program, names):
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "health")
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(program, folder)
        for name in names or RUNS:
            job, lines = daemon.run(merged(RUNS[name]))
            spec = job["spec"]
            head = {
                "state": job["state"], "gamma": spec["loss"]["gamma"], "batch_size": spec["batch_size"],
                "width": spec["projector"]["widths"][-1], "steps": job["progress"]["steps"],
            }
            metrics = [shortened(line) for line in lines if line["event"] == "metric"]
            with open(f"{here}/{name}.jsonl", "w") as file:
                for line in [head, *metrics]:
                    file.write(json.dumps(line, separators=(",", ":")) + "\n")
            print(name, job["state"], metrics[-1], flush=True)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
