#!/usr/bin/env python3
"""Whether one daemon keeps up: with a large database, with fast workers, with a queue that was empty.

  scale    answers of lists and details with 100,000 jobs and 10 million metric rows in the database
  ingest   100,000 event lines a second of one worker, and how fast a backlog is taken in
  latency  from an empty queue to a worker's first event, as a client hears of it

Runs the release binary on a data folder of its own, prints figures, and ends with status 1 if one is over its
bound. Needs Python's standard library only.
"""

import argparse
import fcntl
import http.client
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ANSWER_MILLISECONDS_MAX = 10
LAG_SECONDS_MAX = 1.0
FIRST_EVENT_SECONDS_MAX = 0.2
SMALL = {"kind": "train", "spec": {"preset": "small", "epochs": 1, "max_steps": 2, "dataset": {"limit": 512}}}

failures = []


def judge(what, value, bound, unit):
    """Prints a figure beside its bound."""
    verdict = "ok" if value <= bound else "TOO MUCH"
    print(f"{what}: {value:.2f} {unit}, bound {bound} {unit}: {verdict}", flush=True)
    if value > bound:
        failures.append(what)


class Daemon:
    """The program on a data folder, and one connection to it that stays open."""

    def __init__(self, binary, data, *arguments):
        begun = time.monotonic()
        command = [binary, "serve", "--port", "0", "--data", data, *arguments]
        self.log = open(f"{data}/daemon.txt", "wb")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the daemon does not start: {Path(data, 'daemon.txt').read_text()}")
        self.port = int(json.loads(line)["url"].rsplit(":", 1)[1])
        self.ready_seconds = time.monotonic() - begun
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)

    def request(self, method, path, body=None):
        """The body of an answer and the milliseconds that it took."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        begun = time.perf_counter()
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        content = answer.read()
        took = (time.perf_counter() - begun) * 1000
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {content.decode()}")
        return content, took

    def json(self, path):
        return json.loads(self.request("GET", path)[0])

    def resident_mebibytes(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def stop(self):
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def resolved_specification(binary, data):
    """What the daemon makes of `SMALL`."""
    daemon = Daemon(binary, data)
    content, _ = daemon.request("POST", "/jobs?dry_run=true", SMALL)
    daemon.stop()
    return json.dumps(json.loads(content)["spec"])


class TriggersAway:
    """The database without its triggers, which would take most of the time to fill it."""

    def __init__(self, path):
        self.database = sqlite3.connect(path, isolation_level=None)

    def __enter__(self):
        rows = self.database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        self.triggers = [sql for _, sql in rows]
        for name, _ in rows:
            self.database.execute(f"DROP TRIGGER {name}")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute("PRAGMA journal_mode = OFF")
        self.database.execute("BEGIN")
        return self.database

    def __exit__(self, *_):
        self.database.execute("COMMIT")
        for sql in self.triggers:
            self.database.execute(sql)
        self.database.close()


JOBS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :jobs)
INSERT INTO jobs (id, kind, name, labels, priority, state, reason, spec, attempt, boot_id, created_at_ms,
  started_at_ms, finished_at_ms, steps, latest, event_sequence, changed_at_ms)
SELECT printf('%016d', i), CASE WHEN i % 100 = 7 THEN 'evaluate' ELSE 'train' END, 'job ' || i,
  json_object('team', CASE WHEN i % 1000 = 3 THEN 'rare' ELSE 'common' END, 'run', CAST(i AS TEXT)), 50, s,
  CASE WHEN s = 'succeeded' THEN NULL WHEN s = 'paused' THEN 'user_paused' ELSE 'user_cancelled' END,
  :spec, 1, 'b', 1790000000000 + i, 1790000000000 + i,
  CASE WHEN s = 'paused' THEN NULL ELSE 1790000000000 + i END, 1000,
  '{"event":"metric","step":90,"epoch":3,"loss":12.5,"images_per_second":812.5}', 0, 1790000000000 + i
FROM (SELECT i, CASE WHEN i % 500 = 1 THEN 'paused' WHEN i % 10 = 2 THEN 'failed' WHEN i % 200 = 5
  THEN 'cancelled' ELSE 'succeeded' END AS s FROM n)
"""
# By the cross join jobs are the outer loop, so that rows come in the order in which they are stored.
ROWS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
INSERT INTO events (job, sequence, event, step, line)
SELECT sequence, i, 'metric', i, '{"event":"metric","time":"2026-11-24T02:29:00.123Z","step":' || i ||
  ',"epoch":3,"loss":24.71,"inv":0.1523,"var":0.8125,"cov":1.25,"std_mean":0.52,"std_min":0.31,' ||
  '"grad_norm":2.1,"lr":0.0002,"images_per_second":812}'
FROM jobs CROSS JOIN n WHERE sequence BETWEEN :first AND :last
"""


def fill(data, spec, jobs, rows, large_rows):
    """`jobs` jobs, of which the last has `large_rows` metric rows and the others share the rest."""
    each = (rows - large_rows) // (jobs - 1)
    with TriggersAway(f"{data}/vicregd.sqlite") as database:
        database.execute(JOBS, {"jobs": jobs, "spec": spec})
        database.execute(ROWS, {"rows": each, "first": 1, "last": jobs - 1})
        database.execute(ROWS, {"rows": large_rows, "first": jobs, "last": jobs})
        database.execute(
            "UPDATE jobs SET event_sequence = CASE WHEN sequence = ? THEN ? ELSE ? END",
            (jobs, large_rows, each))
        fill_what_triggers_would(database)
        return database.execute("SELECT count(*) FROM events").fetchone()[0]


def fill_what_triggers_would(database):
    database.execute(
        "INSERT INTO job_labels (key, job, value) SELECT key, sequence, value FROM jobs, json_each(labels)")
    database.execute(
        "UPDATE job_counts SET jobs = (SELECT count(*) FROM jobs WHERE jobs.state = job_counts.state)")


def scale(binary, data, arguments):
    if not Path(data, "vicregd.sqlite").exists():
        spec = resolved_specification(binary, data)
        begun = time.monotonic()
        rows = fill(data, spec, arguments.jobs, arguments.rows, arguments.rows // 10)
        print(f"{rows} rows, filled in {time.monotonic() - begun:.0f} s", flush=True)
    if arguments.fill_only:
        return
    size = os.path.getsize(f"{data}/vicregd.sqlite") / (1 << 20)
    print(f"{arguments.jobs} jobs, {arguments.rows} rows, {size:.0f} MiB")
    daemon = Daemon(binary, data)
    print(f"ready after {daemon.ready_seconds:.2f} s")
    middle = arguments.jobs // 2
    large = f"{arguments.jobs:016d}"
    detail = iter(range(1, arguments.jobs, max(1, arguments.jobs // (2 * arguments.rounds))))
    questions = {
        "detail": lambda: f"/jobs/{next(detail):016d}",
        "detail of the largest job": lambda: f"/jobs/{large}",
        "list": lambda: "/jobs",
        "list, in the middle": lambda: f"/jobs?cursor={middle}",
        "list of a common state": lambda: "/jobs?state=failed",
        "list of a rare state": lambda: "/jobs?state=paused",
        "list of several states": lambda: "/jobs?state=queued,running,paused,failed",
        "list of a kind": lambda: "/jobs?kind=evaluate",
        "list of a common label": lambda: "/jobs?label=team=common",
        "list of a rare label": lambda: "/jobs?label=team=rare",
        "list of a label that one job has": lambda: f"/jobs?label=run={middle}",
        "list of a label in a rare state": lambda: "/jobs?label=team=rare&state=paused",
        "steps of a life": lambda: f"/jobs/{large}/transitions",
        "states counted": lambda: "/readyz",
    }
    for what, path in questions.items():
        times = sorted(daemon.request("GET", path())[1] for _ in range(arguments.rounds))
        print(f"  {what}: median {statistics.median(times):.2f} ms, worst {times[-1]:.2f} ms")
        judge(f"{what}, 99 of 100", times[len(times) * 99 // 100 - 1], ANSWER_MILLISECONDS_MAX, "ms")
    for path in ["/jobs?limit=500", f"/jobs/{large}/metrics?points=500"]:
        print(f"  without a bound: {path}: {daemon.request('GET', path)[1]:.0f} ms")
    print(f"resident: {daemon.resident_mebibytes():.0f} MiB")
    daemon.stop()


class Worker:
    """Stands in for a worker that a daemon adopts: it holds the lock of its run folder and appends lines."""

    LINE = (
        '{"event":"metric","time":"2026-11-24T02:29:00.123Z","step":%d,"epoch":3,"loss":24.71,"inv":0.1523,'
        '"var":0.8125,"cov":1.25,"std_mean":0.52,"std_min":0.31,"grad_norm":2.1,"lr":0.0002,'
        '"images_per_second":812}\n')

    def __init__(self, data, spec):
        self.id = "0000000000000001"
        folder = Path(data, "runs", self.id)
        folder.mkdir(parents=True)
        record = {"job": self.id, "attempt": 1, "kind": "train", "spec": json.loads(spec), "threads": 1}
        (folder / "spec.json").write_text(json.dumps(record))
        self.lock = open(folder / "lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        print(os.getpid(), file=self.lock, flush=True)
        self.events = open(folder / "events.jsonl", "ab", buffering=0)
        self.step = 0
        database = sqlite3.connect(f"{data}/vicregd.sqlite", isolation_level=None)
        database.execute(
            "INSERT INTO jobs (id, kind, labels, priority, state, spec, created_at_ms, event_sequence) "
            "VALUES (?, 'train', '{}', 50, 'queued', ?, 0, 1)", (self.id, spec))
        database.execute(
            "UPDATE jobs SET state = 'running', attempt = 1, boot_id = 'b', started_at_ms = 0")
        database.close()

    def lines(self, count):
        """The next lines as bytes."""
        steps = range(self.step + 1, self.step + 1 + count)
        self.step += count
        return "".join([self.LINE % step for step in steps]).encode()


def recorded_step(daemon, worker):
    latest = daemon.json(f"/jobs/{worker.id}")["latest"]
    return latest["step"] if latest else 0


def wait_for(daemon, worker, step):
    while recorded_step(daemon, worker) < step:
        time.sleep(0.005)


def ingest(binary, data, arguments):
    spec = resolved_specification(binary, data)
    worker = Worker(data, spec)
    daemon = Daemon(binary, data)
    # Made before the clock runs: Python needs a good part of a processor to make them.
    pieces = [worker.lines(arguments.rate // 100) for _ in range(100 * arguments.seconds)]
    written = [0]

    def write():
        begun = time.monotonic()
        for index, piece in enumerate(pieces):
            time.sleep(max(0, begun + index / 100 - time.monotonic()))
            worker.events.write(piece)
            written[0] += arguments.rate // 100

    writer = threading.Thread(target=write)
    begun = time.monotonic()
    writer.start()
    lags = []
    while writer.is_alive():
        lags.append(written[0] - recorded_step(daemon, worker))
        time.sleep(0.02)
    wait_for(daemon, worker, worker.step)
    seconds = time.monotonic() - begun
    print(f"{worker.step} lines at {arguments.rate} a second: all recorded after {seconds:.2f} s")
    judge("lines not yet recorded, at most, in seconds", max(lags) / arguments.rate, LAG_SECONDS_MAX, "s")
    judge("recorded after the last was written", seconds - arguments.seconds, LAG_SECONDS_MAX, "s")
    backlog = worker.lines(arguments.rate * 5)
    begun = time.monotonic()
    worker.events.write(backlog)
    wait_for(daemon, worker, worker.step)
    print(f"a backlog of {arguments.rate * 5} lines: {arguments.rate * 5 / (time.monotonic() - begun):.0f} lines/s")
    log = os.path.getsize(f"{data}/vicregd.sqlite-wal") / (1 << 20)
    judge("write-ahead log", log, 20, "MiB")
    judge("resident", daemon.resident_mebibytes(), 200, "MiB")
    database = sqlite3.connect(f"file:{data}/vicregd.sqlite?mode=ro", uri=True)
    steps, last = database.execute("SELECT count(*), max(step) FROM events WHERE event = 'metric'").fetchone()
    judge("lines that are missing or there twice", abs(steps - worker.step) + abs(last - worker.step), 0, "lines")
    database.close()
    daemon.stop()


def latency(binary, data, arguments):
    daemon = Daemon(binary, data, "--workers", "1")
    times, steps = [], []
    for _ in range(arguments.rounds // 10):
        begun = time.perf_counter()
        job = json.loads(daemon.request("POST", "/jobs", SMALL)[0])["id"]
        daemon.connection.request("GET", f"/jobs/{job}/metrics?follow=true")
        answer = daemon.connection.getresponse()
        first = json.loads(answer.readline())
        times.append(time.perf_counter() - begun)
        if first["event"] != "started":
            sys.exit(f"the first event is {first}")
        answer.readline()
        steps.append(time.perf_counter() - begun)
        answer.read()
    print(f"{len(times)} jobs: first event after {statistics.median(times):.3f} s (median), first loss line "
          f"after {statistics.median(steps):.3f} s; all: {' '.join(f'{time:.3f}' for time in times)}")
    times.sort()
    judge("from an empty queue to a worker's first event, 9 of 10", times[len(times) * 9 // 10 - 1],
          FIRST_EVENT_SECONDS_MAX, "s")
    daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["scale", "ingest", "latency"])
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("--binary", default=str(root / ".build/release/vicregd"))
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=200, help="requests of each kind; a tenth as many jobs")
    parser.add_argument("--rate", type=int, default=100_000, help="lines a second")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--data", help="scale: a data folder that stays; filled if it is empty")
    parser.add_argument("--fill-only", action="store_true", help="scale: measure later")
    arguments = parser.parse_args()
    for what in arguments.what:
        keeps = what == "scale" and arguments.data
        if keeps:
            os.makedirs(arguments.data, exist_ok=True)
        data = arguments.data if keeps else tempfile.mkdtemp(prefix="vicregd-speed-")
        print(f"== {what}", flush=True)
        try:
            {"scale": scale, "ingest": ingest, "latency": latency}[what](arguments.binary, data, arguments)
        finally:
            if not keeps:
                shutil.rmtree(data, ignore_errors=True)
    if failures:
        sys.exit(f"over the bound: {', '.join(failures)}")


if __name__ == "__main__":
    main()
