#!/usr/bin/env python3
"""Makes the data folders in this directory: one for each schema of a version that was in use.

    make_data_folder.py VICREGD FOLDER

Run it with the program of the version whose folder is wanted, before the schema changes; never again for a
version that is there already, or its folder would be one that a newer program has written. The folder holds
a training and its evaluation that have succeeded, a training that rests, and jobs that failed, were
cancelled, wait for a worker and wait for another job; labels, notes and an idempotency key.
"""
import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

DATASET = "synthetic:count=64,classes=4,side=16,seed=1"


def training(name, **changes):
    spec = {
        "preset": "small", "dataset": {"name": DATASET, "limit": 16}, "epochs": 2, "batch_size": 4,
        "encoder": {"width": 16, "fc": None}, "projector": {"widths": [16, 16]}, "log_every_steps": 1,
        "optimizer": {"name": "sgd", "lr": 1e-3, "momentum": 0},
        "checkpoint": {"every_epochs": 1, "keep_last": 1},
    }
    spec.update(changes)
    return {"kind": "train", "name": name, "spec": spec}


def evaluation(name, job):
    return {
        "kind": "evaluate", "name": name,
        "spec": {
            "checkpoint": {"job": job, "which": "last"}, "features": "cached", "baselines": True, "epochs": 2,
            "dataset": {"name": DATASET, "limit": 32},
        },
    }


class Daemon:
    def __init__(self, program, folder, workers):
        arguments = ["serve", "--port", "0", "--data", folder, "--workers", str(workers)]
        self.process = subprocess.Popen(
            [program, *arguments, "--threads-per-worker", "1"], stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def send(self, method, path, body=None, headers=()):
        data = None if body is None else json.dumps(body).encode()
        fields = {"Content-Type": "application/json", **dict(headers)}
        request = urllib.request.Request(self.url + path, data, fields, method=method)
        try:
            return json.load(urllib.request.urlopen(request))
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.read().decode()}")

    def wait(self, job, condition):
        while not condition(record := self.send("GET", f"/jobs/{job}")):
            time.sleep(0.02)
        return record

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def main(program, folder):
    shutil.rmtree(folder, ignore_errors=True)
    daemon = Daemon(program, folder, 1)
    post = lambda job, **headers: daemon.send("POST", "/jobs", job, headers.items())["id"]
    is_over = lambda job: job["state"] in ("succeeded", "failed", "cancelled")

    first = post({**training("tiny"), "labels": {"team": "a"}, "notes": "two epochs of four steps"},
                 **{"Idempotency-Key": "fixture"})
    judged = post(evaluation("tiny, judged", first))
    diverging = post(training("diverges", epochs=20, optimizer={"name": "sgd", "lr": 1000, "momentum": 0}))
    for job in (first, judged, diverging):
        daemon.wait(job, is_over)
    resting = post({**training("rests", epochs=100_000), "labels": {"team": "b", "long": "yes"}})
    daemon.wait(resting, lambda job: job["progress"]["step"] >= 6)
    daemon.send("POST", f"/jobs/{resting}/pause", {})
    daemon.wait(resting, lambda job: job["state"] == "paused")
    stopped = post(training("is cancelled", epochs=100_000))
    daemon.wait(stopped, lambda job: job["progress"]["step"] >= 1)
    daemon.send("POST", f"/jobs/{stopped}/cancel", {"mode": "now"})
    daemon.wait(stopped, is_over)
    # Whoever waits does so behind one that runs; the daemon's end sends that one back into the queue.
    running = post(training("waits for a worker", epochs=100_000))
    daemon.wait(running, lambda job: job["progress"]["step"] >= 3)
    post(evaluation("waits for its training", running))
    daemon.stop()

    database = sqlite3.connect(f"{folder}/vicregd.sqlite")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    # Nobody's machine: a worker that is started again gets the path anew.
    for path in glob.glob(f"{folder}/runs/*/spec.json"):
        with open(path) as file:
            text = file.read().replace(os.path.abspath(folder), "/var/lib/vicregd")
        with open(path, "w") as file:
            file.write(text)
    # Only the resting training needs its checkpoint; the others are as large and would be read by no test.
    for path in glob.glob(f"{folder}/runs/*/checkpoints/*"):
        if resting not in path:
            os.remove(path)
    for path in glob.glob(f"{folder}/**/lock", recursive=True) + glob.glob(f"{folder}/*-shm"):
        os.remove(path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
