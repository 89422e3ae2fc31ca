#!/usr/bin/env python3
"""What hostile and many clients do to a normal one beside them: slowhttptest's modes, connections that break, crowds.

    hostile.py [--binary .build/release/vicregd] [--seconds 15] [--only header,body,read,reset,half,download,crowd,files]

Attacks with a verdict are in Scripts/abuse. Everything stays on loopback. While each attack runs, a normal client asks every 20 ms; its latencies are printed.
Needs slowhttptest.
"""

import argparse
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))


class Daemon:
    def __init__(self, binary, *flags, descriptors=None):
        self.folder = tempfile.mkdtemp()

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(
            [binary, "serve", "--port", "0", "--data", self.folder, *flags], stdout=subprocess.PIPE,
            stderr=open(f"{self.folder}/err", "w"), text=True, preexec_fn=limit)
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def memory(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read())[1]) / 1024

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def worker(self):
        """The process of the job that runs."""
        while True:
            found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
            if found:
                return int(found[0])
            time.sleep(0.02)

    def stop(self):
        started = time.monotonic()
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)
        return time.monotonic() - started


class Normal:
    """A client that asks for the list of jobs on a new connection each time, in a process of its own."""

    def __init__(self, url):
        self.url, self.times, self.errors = url, [], []
        self.end, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self.run, args=(other,), daemon=True)
        self.process.start()

    def run(self, end):
        while not end.poll(0.02):
            started = time.monotonic()
            try:
                with urllib.request.urlopen(f"{self.url}/jobs", timeout=5) as answer:
                    assert answer.status == 200
                self.times.append(time.monotonic() - started)
            except OSError as error:
                self.errors.append(str(error))
        end.send((self.times, self.errors))

    def report(self):
        self.end.send("stop")
        times, errors = self.end.recv()
        self.process.join()
        times = sorted(times) or [float("nan")]
        return (f"normal client: {len(times)} answers, median {times[len(times) // 2] * 1000:.1f} ms, "
                f"p99 {times[int(len(times) * 0.99)] * 1000:.1f} ms, {len(errors)} errors {errors[:2]}")


def attack(name, daemon, work):
    normal = Normal(daemon.url)
    before = daemon.cpu()
    more = work() or ""
    print(f"{name}: {normal.report()}; daemon {daemon.memory():.0f} MB, {daemon.cpu() - before:.1f} CPU-s {more}",
          flush=True)


def slow(daemon, seconds, path, *flags):
    """A thousand connections of slowhttptest; it ends early when it sees that the daemon has closed them all."""
    command = ["slowhttptest", "-c", "1000", "-r", "500", "-l", str(seconds), "-p", "3", "-u", daemon.url + path, *flags]
    before, most, last, started = daemon.descriptors(), 0, 0, time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        while process.poll() is None:
            held = daemon.descriptors() - before
            most = max(most, held)
            # A few are the normal client's.
            last = time.monotonic() - started if held > 5 else last
            time.sleep(0.1)
        output.seek(0)
        text = re.sub(r"\x1b\[[0-9;]*m", "", output.read())
    seen = re.findall(r"(pending|connected|error|closed):\s+(\d+)", text)[-4:]
    return (f"(at most {most} descriptors, none after {last:.1f} s of {time.monotonic() - started:.1f} s; slowhttptest "
            "says " + " ".join(f"{key} {value}" for key, value in seen) + ")")


def resets(daemon, seconds):
    """Connections that are reset or left in every state that they can be in."""
    count = 0
    end = time.monotonic() + seconds
    starts = [b"", b"GET / HT", b"GET /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n",
              b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
              b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    while time.monotonic() < end:
        for start in starts:
            for is_reset in (True, False):
                s = socket.create_connection(("127.0.0.1", daemon.port))
                s.sendall(start)
                if is_reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
                count += 1
    return f"({count} connections)"


def half_open(daemon, seconds):
    """Connections that say nothing, half a request, or that they will say no more and then do not read."""
    starts = [b"", b"GET /jobs HTTP/1.1\r\nHost:", b"GET /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    sockets = []
    for index in range(3_000):
        s = socket.create_connection(("127.0.0.1", daemon.port))
        s.sendall(starts[index % 3])
        if index % 3 == 2:
            s.shutdown(socket.SHUT_WR)
        sockets.append(s)
    time.sleep(seconds)
    answered = sum(s.recv(65_536).startswith(b"HTTP/1.1 200") for s in sockets[2::3])
    for s in sockets:
        s.close()
    return f"({len(sockets)} connections; of 1000 that had asked and closed their half, {answered} were answered)"


def downloads(daemon, seconds, clients=50):
    """Clients that take a file of 100 MB at 1 MB/s each."""
    command = ["curl", "-s", "--limit-rate", "1M", "--max-time", str(seconds), "-o", "/dev/null", "-w",
               "%{speed_download}\n", f"{daemon.url}/large.bin"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(clients)]
    speeds = sorted(float(process.communicate()[0]) / 1e6 for process in running)
    return f"({clients} downloads at {speeds[0]:.2f} to {speeds[-1]:.2f} MB/s)"


def crowd(daemon, idle, followers):
    """So many idle keep-alive connections and followers of events, all served."""
    sockets, streams = [], []
    for index in range(idle):
        s = socket.create_connection(("127.0.0.1", daemon.port), source_address=(f"127.0.0.{2 + index % 8}", 0))
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
        sockets.append(s)
    body = json.dumps({"kind": "train", "spec": {"dataset": {"name": "synthetic"}}}).encode()
    request = urllib.request.Request(f"{daemon.url}/jobs", body, {"Content-Type": "application/json"})
    job = json.load(urllib.request.urlopen(request))["id"]
    worker = daemon.worker()
    os.kill(worker, signal.SIGSTOP)
    for _ in range(followers):
        s = socket.create_connection(("127.0.0.1", daemon.port))
        s.sendall(f"GET /jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        streams.append(s)
    texts = [b""] * followers

    def read_until(mark):
        for index, s in enumerate(streams):
            s.settimeout(20)
            while mark not in texts[index]:
                piece = s.recv(65536)
                assert piece, "a stream was cut off"
                texts[index] += piece

    read_until(b"event: state")
    memory, before, started = daemon.memory(), daemon.cpu(), time.monotonic()
    for round in range(10):
        patch = urllib.request.Request(
            f"{daemon.url}/jobs/{job}", json.dumps({"name": f"round {round}"}).encode(),
            {"Content-Type": "application/json"}, method="PATCH")
        urllib.request.urlopen(patch).read()
        read_until(f"round {round}".encode())
    per_event = (daemon.cpu() - before) / (10 * followers) * 1e6
    for s in sockets:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert all(s.recv(4096).startswith(b"HTTP/1.1 200") for s in sockets)
    result = (f"({idle} idle connections and {followers} followers: {memory:.0f} MB; 10 events reached all in "
              f"{time.monotonic() - started:.2f} s, {per_event:.1f} µs of CPU each)")
    os.kill(worker, signal.SIGCONT)
    for s in sockets + streams:
        s.close()
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=f"{HERE}/../../.build/release/vicregd")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--only", default="header,body,read,reset,half,download,files,crowd")
    args = parser.parse_args()
    only = args.only.split(",")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    root = tempfile.mkdtemp()
    with open(f"{root}/large.bin", "wb") as large:
        for _ in range(100):
            large.write(os.urandom(1_000_000))
    if {"header", "body", "read"} & set(only):
        # Time-outs that pass during the attack.
        patience = Daemon(args.binary, "--public", root, "--header-seconds", "4", "--body-seconds", "4",
                          "--write-seconds", "4")
        if "header" in only:
            attack("slow headers", patience, lambda: slow(patience, args.seconds, "/jobs", "-H", "-i", "1"))
        if "body" in only:
            attack("slow bodies", patience, lambda: slow(
                patience, args.seconds, "/jobs", "-B", "-i", "1", "-x", "8", "-s", "8192"))
        if "read" in only:
            attack("slow reading", patience, lambda: slow(
                patience, args.seconds, "/large.bin", "-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32"))
        patience.stop()
    daemon = Daemon(args.binary)
    if "reset" in only:
        attack("resets", daemon, lambda: resets(daemon, args.seconds))
    if "half" in only:
        attack("half-open", daemon, lambda: half_open(daemon, min(args.seconds, 8)))
    if "download" in only:
        files = Daemon(args.binary, "--public", root)
        attack("slow downloads", files, lambda: downloads(files, args.seconds))
        files.stop()
    shutil.rmtree(root)
    if "crowd" in only:
        attack("crowd", daemon, lambda: crowd(daemon, 10_000, 2_000))
    print(f"stopped in {daemon.stop():.2f} s")
    if "files" in only:
        few = Daemon(args.binary, descriptors=64)
        held = [socket.create_connection(("127.0.0.1", few.port)) for _ in range(200)]
        time.sleep(1)
        used = few.cpu()
        time.sleep(2)
        used = few.cpu() - used
        for s in held:
            s.close()
        attack("after descriptors ran out", few, lambda: time.sleep(2))
        print(f"while they were out: {used / 2 * 100:.1f} % CPU; stopped in {few.stop():.2f} s")


if __name__ == "__main__":
    main()
