#!/usr/bin/env python3
"""A million images of 32×32: how long their import takes, how fast a training on them starts, what memory it has.

Writes an .npy file of noise, imports it, trains on it and on the first 20,000 of its images, which lie in memory, and
prints for each the seconds from the request to the start and to the end of the first step, the worker's memory, and the
median rate of images. The memory that a worker has of its own (RssAnon) must not hold the images; those of the file
(RssFile) are cache of the system, which is let go. Needs 6.3 GB of disk below --folder for a time, and Python's standard library:
  million_images.py --binary .build/release/vicregd
"""

import argparse
import json
import os
import pathlib
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

START_SECONDS = 3
# What the memory of a worker may have more than that of one that trains on few images: labels, order, chance.
MORE_MB = 100


def write_images(path, count, side=32):
    """An .npy file of `uint8` [count, side, side, 3]: noise, a new piece for every thousand images."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {side}, {side}, 3), }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    dice = random.Random(3)
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode())
        for start in range(0, count, 1_000):
            file.write(dice.randbytes(min(1_000, count - start) * side * side * 3))


def ask(url, body=None):
    """The JSON of an answer; a refusal ends the script."""
    request = urllib.request.Request(
        url, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        sys.exit(f"{url}: {error.code} {error.read().decode()}")


def memory(folder):
    """MB of the worker in a run folder by kind, with its peak; empty: it is not there."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if folder.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                text = (process / "status").read_text()
                return {key: int(value) / 1024 for key, value in re.findall(r"(VmHWM|RssAnon|RssFile):\s+(\d+)", text)}
        except OSError:
            continue
    return {}


def watch(url, data, job, step=0.05):
    """Waits for the end of a job. Gives the most memory by kind, and seconds to the start and first step, and in all."""
    begun, seconds, most = time.monotonic(), {}, {}
    while True:
        for key, value in memory(f"{data}/runs/{job}").items():
            most[key] = max(most.get(key, 0), value)
        events = pathlib.Path(f"{data}/runs/{job}/events.jsonl")
        text = events.read_text() if len(seconds) < 2 and events.exists() else ""
        for event in ("started", "metric"):
            if f'"event":"{event}"' in text and event not in seconds:
                seconds[event] = time.monotonic() - begun
        found = ask(f"{url}/jobs/{job}")
        if found["state"] in ("succeeded", "failed", "cancelled"):
            if found["state"] != "succeeded":
                sys.exit(f"{found['kind']}: {found['message']}")
            return most, seconds, time.monotonic() - begun
        time.sleep(step)


def train(url, data, limit, steps):
    """Trains some steps; prints and gives what was measured."""
    job = ask(f"{url}/jobs", {"kind": "train", "spec": {
        "preset": "small", "dataset": {"name": "million", "limit": limit}, "max_steps": steps, "epochs": 1,
        "batch_size": 256, "log_every_steps": 1}})["id"]
    most, seconds, total = watch(url, data, job)
    lines = [json.loads(line) for line in open(f"{data}/runs/{job}/events.jsonl")]
    rates = [line["images_per_second"] for line in lines if line["event"] == "metric"][2:]
    print(f"training on {limit or 'all'} images: started after {seconds['started']:.2f} s, first step done after "
          f"{seconds['metric']:.2f} s, {statistics.median(rates):.0f} images/s (median of {len(rates)} steps), "
          f"own memory {most['RssAnon']:.0f} MB, of files {most['RssFile']:.0f} MB, {total:.1f} s in all", flush=True)
    return seconds["started"], statistics.median(rates), most


def main():
    """Measures; the status says whether it is as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=".build/release/vicregd")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--folder", default=None, help="where the files lie for a time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="million-") as folder:
        started = time.monotonic()
        source = os.path.realpath(f"{folder}/images.npy")
        write_images(source, options.images)
        print(f"{options.images} images written in {time.monotonic() - started:.0f} s", flush=True)
        data = os.path.realpath(folder) + "/data"
        process = subprocess.Popen(
            [options.binary, "serve", "--port", "0", "--data", data, "--dataset-root", os.path.dirname(source)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = json.loads(process.stdout.readline())["url"]
            job = ask(f"{url}/datasets", {"name": "million", "path": source, "side": 32})["job"]
            most, _, seconds = watch(url, data, job, step=0.5)
            os.remove(source)
            dataset = ask(f"{url}/datasets/million")
            print(f"import: {seconds:.0f} s, {options.images / seconds:.0f} images/s, own memory "
                  f"{most['RssAnon']:.0f} MB, {dataset['bytes']} bytes, {dataset['counts']}", flush=True)
            _, few_rate, few = train(url, data, 20_000, options.steps)
            started, rate, most = train(url, data, None, options.steps)
        finally:
            process.terminate()
            process.wait()
    is_good = started < START_SECONDS and most["RssAnon"] < few["RssAnon"] + MORE_MB
    print(f"the rate is {100 * rate / few_rate:.0f}% of that of images in memory; "
          f"{'as promised' if is_good else 'NOT as promised'}")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
