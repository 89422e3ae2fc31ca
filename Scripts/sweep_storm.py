#!/usr/bin/env python3
"""A sweep of many near-empty trials, once undisturbed and once while `kill -9` hits the daemon and its workers: the
list of trials, with their parameters and what they report, must be the same file.

Starts a daemon of its own in a temporary folder, begins a sweep by one request, and says how long it takes until all
of its trials are queued, how long it takes to run through, and the most memory that the daemon has had. Then it
begins the same sweep again, with kills while it runs. Ends with status 1 where `trials.csv` differs or a trial is lost.

Needs Python's standard library alone:
  sweep_storm.py --binary .build/release/vicregd --trials 1000 --kills 20
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


class Daemon:
    """A daemon that is started again when it was killed."""

    def __init__(self, binary, data, arguments):
        self.command = [str(binary), "serve", "--port", "0", "--data", data, *arguments]
        self.data = pathlib.Path(data)
        self.peak = 0
        self.start()

    def start(self):
        log = open(self.data / "daemon.txt", "a")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the daemon did not start: {(self.data / 'daemon.txt').read_text()[-2000:]}")
        self.url = json.loads(line)["url"]

    def kill(self):
        self.note_memory()
        self.process.kill()
        self.process.wait()
        self.start()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def note_memory(self):
        """The most memory that this process has had, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        self.peak = max(self.peak, int(peak.split()[1]) // 1024)

    def kill_a_worker(self, dice):
        """Whether there was one."""
        locks = list(self.data.glob("runs/*/lock"))
        dice.shuffle(locks)
        for lock in locks:
            try:
                worker = int(lock.read_text().split()[0])
                command = pathlib.Path(f"/proc/{worker}/cmdline").read_text()
            except (OSError, ValueError, IndexError):
                continue
            if "vicregd" in command and lock.parent.name in command:
                os.kill(worker, signal.SIGKILL)
                return True
        return False

    def fetch(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{path}: {error.code} {error.read().decode()}")

    def get(self, path):
        return json.loads(self.fetch(path))


def sweep(trials, searcher):
    """The smallest training that there is, with a rate and a weight of the loss."""
    spec = {
        "preset": "small", "dataset": {"name": "synthetic:count=64,classes=4,seed=1", "limit": 16}, "epochs": 1,
        "max_steps": 1, "batch_size": 4, "image_size": 16, "encoder": {"width": 16, "fc": None},
        "projector": {"widths": [16, 16]}, "online": None, "checkpoint": {"keep_last": 1}}
    space = {
        "/optimizer/lr": {"log_uniform": [1e-5, 1e-2]}, "/loss/cov": {"choice": [0.5, 1, 2]},
        "/seed": {"int": [0, 99]}}
    return {
        "name": "storm", "base": {"kind": "train", "spec": spec}, "space": space,
        "search": {"name": searcher, "seed": 1}, "max_trials": trials, "max_failed": trials}


def begin(daemon, body):
    """The id of a sweep, and how long it took until all of its trials were queued."""
    start = time.monotonic()
    sweep_id = json.loads(daemon.fetch("/sweeps", body))["id"]
    wanted = min(body["max_trials"], 1000)
    while daemon.get(f"/sweeps/{sweep_id}")["trials"]["total"] < wanted:
        time.sleep(0.02)
    return sweep_id, time.monotonic() - start


def finish(daemon, sweep_id, on_progress=lambda ended: None):
    """The table of a sweep when it has ended."""
    last = time.monotonic()
    known = -1
    while True:
        state = daemon.get(f"/sweeps/{sweep_id}")
        ended = sum(state["trials"][name] for name in ("succeeded", "failed", "stopped"))
        if ended != known:
            known, last = ended, time.monotonic()
        elif time.monotonic() - last > 120:
            sys.exit(f"the sweep stands still at {ended} trials")
        on_progress(ended)
        if state["finished_at"]:
            daemon.note_memory()
            return daemon.fetch(f"/sweeps/{sweep_id}/trials.csv")
        time.sleep(0.05)


def compare(daemon, options, dice, counts):
    """The table of a sweep that nothing has disturbed, that of one that was, and how many jobs that has."""
    body = sweep(options.trials, options.search)
    first, seconds = begin(daemon, body)
    print(f"{options.trials} trials: {min(options.trials, 1000)} queued after {seconds:.2f} s", flush=True)
    start = time.monotonic()
    undisturbed = finish(daemon, first)
    print(f"run through after {time.monotonic() - start:.0f} s, daemon at most {daemon.peak} MiB", flush=True)
    marks = sorted(dice.sample(range(1, options.trials), options.kills))

    def disturb(ended):
        while marks and ended >= marks[0]:
            marks.pop(0)
            if dice.random() < 0.5 and daemon.kill_a_worker(dice):
                counts["worker"] += 1
            else:
                counts["daemon"] += 1
                daemon.kill()

    second, _ = begin(daemon, body)
    disturbed = finish(daemon, second, disturb)
    return undisturbed, disturbed, daemon.get(f"/jobs?sweep={second}&limit=1")["total"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(".build/release/vicregd"))
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--search", default="random")
    parser.add_argument("--seed", type=int, default=0, help="of the kills")
    parser.add_argument("arguments", nargs="*", help="further flags of the daemon, after --")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    counts = {"daemon": 0, "worker": 0}
    with tempfile.TemporaryDirectory() as data:
        daemon = Daemon(options.binary, data, options.arguments)
        try:
            undisturbed, disturbed, jobs = compare(daemon, options, dice, counts)
        finally:
            daemon.stop()
    print(f"killed {counts['daemon']} daemons and {counts['worker']} workers; {jobs} jobs", flush=True)
    if disturbed != undisturbed:
        sys.exit("trials.csv differs")
    if jobs != options.trials or disturbed.count(b"succeeded") != options.trials:
        sys.exit("a trial is lost")
    print("trials.csv is the same file")


if __name__ == "__main__":
    main()
