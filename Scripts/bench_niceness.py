#!/usr/bin/env python3
"""What the niceness of workers does: answers beside a training, and a training beside other busy processes.

For each niceness, in turns, `--rounds` times: a training on every core alone, then beside as many busy processes as
there are cores. Printed are the medians over the rounds of

    p50, p99       of GET /jobs beside the training, in milliseconds, each on a new connection
    alone          steps per second of the training while only the client above asks
    beside busy    the share of that which is left beside the busy processes

The share matters, not the speed: other work on the machine changes both. A good default keeps p99 under 20 ms and at
least half of the speed. Only niceness 0 to 19 can be had without privileges.

    swift build -c release
    Scripts/bench_niceness.py --rounds 5
"""

import argparse
import http.client
import json
import multiprocessing
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A training of many short steps that lasts longer than the measurement.
TRAINING = {"kind": "train", "spec": {
    "preset": "small", "dataset": {"name": "synthetic", "limit": 512}, "batch_size": 16, "epochs": 100_000,
    "encoder": {"width": 16}, "projector": {"widths": [64, 64]}, "log_every_steps": 1,
    "checkpoint": {"every_epochs": 10_000}}}


class Daemon:
    """A daemon with one worker on every core, in a folder of its own, and its training."""

    def __init__(self, binary, niceness, flags):
        self.folder = tempfile.mkdtemp(prefix="niceness-")
        self.process = subprocess.Popen(
            [binary, "serve", "--port", "0", "--data", f"{self.folder}/data", "--log-level", "error", "--worker-nice",
             str(niceness), *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = int(json.loads(self.process.stdout.readline())["url"].rsplit(":", 1)[1])
        self.job = ask(self.port, "POST", "/jobs", TRAINING)[1]["id"]
        while self.step() < 5:
            time.sleep(0.05)

    def step(self):
        progress = ask(self.port, "GET", f"/jobs/{self.job}")[1].get("progress") or {}
        return progress.get("step") or 0

    def steps_per_second(self, seconds):
        first, start = self.step(), time.monotonic()
        time.sleep(seconds)
        return (self.step() - first) / (time.monotonic() - start)

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, content


def client(port, end, times):
    """Asks every 10 ms; seconds of each answer."""
    while time.monotonic() < end:
        start = time.monotonic()
        ask(port, "GET", "/jobs")
        times.append(time.monotonic() - start)
        time.sleep(0.01)


def burn():
    while True:
        pass


def measure(options, niceness):
    """Sorted seconds of answers, and steps per second alone and beside busy processes."""
    daemon = Daemon(options.binary, niceness, options.flags)
    busy = []
    try:
        times = []
        start = daemon.step(), time.monotonic()
        client(daemon.port, time.monotonic() + options.seconds, times)
        alone = (daemon.step() - start[0]) / (time.monotonic() - start[1])
        busy = [multiprocessing.Process(target=burn, daemon=True) for _ in range(len(os.sched_getaffinity(0)))]
        for process in busy:
            process.start()
        beside = daemon.steps_per_second(options.seconds)
        return sorted(times), alone, beside
    finally:
        for process in busy:
            process.kill()
        daemon.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--niceness", type=int, nargs="+", default=[0, 1, 3, 5, 10])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="of each of the two measurements of a round")
    parser.add_argument("--binary", default=str(ROOT / ".build/release/vicregd"))
    parser.add_argument("flags", nargs="*", help="further flags of `vicregd serve`, after --")
    options = parser.parse_args()
    results = {niceness: [] for niceness in options.niceness}
    for _ in range(options.rounds):
        for niceness in options.niceness:
            times, alone, beside = measure(options, niceness)
            results[niceness].append((
                statistics.median(times) * 1e3, times[len(times) * 99 // 100] * 1e3, alone, beside / alone))
    print(f"kernel {os.uname().release}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    print("niceness  p50 ms  p99 ms  alone steps/s  beside busy")
    for niceness, rounds in results.items():
        p50, p99, alone, share = (statistics.median(column) for column in zip(*rounds))
        print(f"{niceness:8}  {p50:6.1f}  {p99:6.1f}  {alone:13.1f}  {share:11.0%}")


if __name__ == "__main__":
    main()
