#!/usr/bin/env python3
"""Runs the daemon with too few descriptors, threads and processes, and says what it did.

    Scripts/try_shortages.py descriptors --limits 5-80      each limit of open files
    Scripts/try_shortages.py threads --limits 5-80          each limit of processes, as another user
    Scripts/try_shortages.py connections                    1,024 descriptors, 1,100 idle connections, one job

With each limit the daemon must refuse to start with one line, or answer /healthz and run a job to its end. Exit code
1 if it does neither. The limit of processes counts all of a user, and root has none: `threads` needs root, and runs
the daemon as a user that has no other process (--uid). The binary is looked for in .build/release.
"""

import argparse
import http.client
import json
import os
import pathlib
import resource
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# One step on a few generated images.
JOB = {"kind": "train", "spec": {"preset": "small", "dataset": {"name": "synthetic", "limit": 32}, "batch_size": 16,
                                 "max_steps": 1, "encoder": {"width": 16}, "projector": {"widths": [16, 16]}}}


class Daemon:
    """A daemon under limits, in a folder of its own; `port` is None if it refused to start."""

    def __init__(self, binary, limits, uid, *flags):
        self.folder = tempfile.mkdtemp(prefix="shortages-")
        os.chmod(self.folder, 0o777)

        def restrict():
            for kind, value in limits.items():
                resource.setrlimit(kind, (value, value))

        self.errors = open(f"{self.folder}/errors.txt", "w+b")
        user = {"user": uid, "group": uid, "extra_groups": []} if uid else {}
        self.process = subprocess.Popen(
            [binary, "serve", "--port", "0", "--data", f"{self.folder}/data", *flags], stdout=subprocess.PIPE,
            stderr=self.errors, preexec_fn=restrict, env={**os.environ, "SWIFT_BACKTRACE": "enable=no"}, **user)
        self.port = None
        if select.select([self.process.stdout], [], [], 60)[0]:
            line = self.process.stdout.readline()
            if line:
                self.port = int(json.loads(line)["url"].rsplit(":", 1)[1])

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content)

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_job(daemon, seconds):
    """How a job ends, or where it stands when the time is over."""
    status, job = daemon.ask("POST", "/jobs", JOB)
    if status != 201:
        return f"POST /jobs: {status} {job.get('detail')}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _, job = daemon.ask("GET", f"/jobs/{job['id']}")
        if job["state"] in ("succeeded", "failed", "cancelled"):
            break
        time.sleep(0.05)
    return f"{job['state']} {job.get('message') or ''}".strip()


def try_limit(options, kind, limit, uid=None):
    """Whether the daemon did one of the two right things, and which."""
    daemon = Daemon(options.binary, {kind: limit}, uid, *options.flags)
    try:
        if daemon.port is None:
            code = daemon.process.wait(60)
            text = daemon.error_text()
            is_clear = code == 2 and text.startswith("vicregd: ") and len(text.splitlines()) == 1 and "ulimit" in text
            return is_clear, f"refuses to start, exit code {code}: {text}"
        status, _ = daemon.ask("GET", "/healthz")
        end = run_job(daemon, options.seconds)
        return status == 200 and end == "succeeded", f"runs: /healthz {status}, the job {end}"
    except (OSError, http.client.HTTPException) as error:
        return False, f"says that it listens and does not answer: {error}"
    finally:
        daemon.close()


def try_limits(options, kind, uid=None):
    first, last = (int(part) for part in options.limits.split("-"))
    is_right, previous = True, None
    for limit in range(first, last + 1, options.step):
        is_good, text = try_limit(options, kind, limit, uid)
        is_right &= is_good
        # Limits that end alike are one line of the table.
        kind_of_end = (is_good, text.split(":")[0])
        if kind_of_end != previous or not is_good:
            print(f"{limit:5}  {'ok ' if is_good else 'BAD'}  {text}", flush=True)
        previous = kind_of_end
    print(f"{last:5}  the last one")
    return is_right


def try_connections(options):
    """The job that is posted by a new connection while more idle ones are there than there are descriptors."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))
    daemon = Daemon(options.binary, {resource.RLIMIT_NOFILE: 1_024}, None, *options.flags)
    try:
        idle = [socket.create_connection(("127.0.0.1", daemon.port), timeout=20) for _ in range(1_100)]
        time.sleep(1)
        print(f"with {len(idle)} idle connections: /readyz {daemon.ask('GET', '/readyz')[0]}")
        end = run_job(daemon, options.seconds)
        print(f"the job: {end}")
        print(f"/readyz {daemon.ask('GET', '/readyz')[0]}")
        print(daemon.error_text())
        return end == "succeeded"
    finally:
        daemon.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["descriptors", "threads", "connections"])
    parser.add_argument("--limits", default="5-80", help="first and last limit")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--uid", type=int, default=54_321, help="user of the daemon for `threads`")
    parser.add_argument("--seconds", type=float, default=60, help="for the job to end")
    parser.add_argument("--binary", default=str(ROOT / ".build/release/vicregd"))
    parser.add_argument("flags", nargs="*", help="flags of `vicregd serve`, after --")
    options = parser.parse_args()
    if options.what == "connections":
        return try_connections(options)
    if options.what == "descriptors":
        return try_limits(options, resource.RLIMIT_NOFILE)
    if os.geteuid() != 0:
        sys.exit("threads: must be started by root, which runs the daemon as another user")
    return try_limits(options, resource.RLIMIT_NPROC, options.uid)


sys.exit(0 if main() else 1)
