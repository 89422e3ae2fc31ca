"""What the daemon itself must reach: lists, curves, the state of the system, streams."""

import http.client
import json
import statistics
import threading
import time

from .daemon import Daemon, note
from .data import SMALL


def times_of(daemon, paths):
    """The sorted milliseconds of answers that nobody has asked for before."""
    return sorted(daemon.request("GET", path)[1] for path in paths)


def worst_list(daemon):
    """The slowest first page of any order or filter; each is asked for in several sizes, as none is kept."""
    orders = [
        "created_at", "-created_at", "started_at", "-finished_at", "name", "-name", "state", "kind", "priority",
        "-priority", "health", "dataset", "method", "-top1", "loss", "-loss", "rankme", "-rankme",
        "running_seconds", "-running_seconds", "queue"]
    filters = [
        "", "state=blocked", "state=queued,running,succeeded", "kind=train", "method=simclr", "dataset=synthetic",
        "health=unknown", "label=team=a", "q=gamma", "q=note+alpha", "method=vicreg&label=team=b&q=beta"]
    slowest = ("", 0)
    for order in orders:
        for chosen in filters:
            query = "&".join(part for part in (f"sort={order}", chosen) if part)
            took = times_of(daemon, [f"/jobs?{query}&limit={limit}" for limit in (49, 50, 51)])[1]
            if took > slowest[1]:
                slowest = (query, took)
    return slowest


def curves(daemon, found, arguments):
    long, runs = found["long"], found["runs"]
    daemon.request("GET", f"/jobs/{long}")
    took = times_of(daemon, [f"/jobs/{long}/metrics?points={1000 + i}&keys=loss,inv,var,cov" for i in range(9)])
    note("curves of the long run: 4 metrics, 1,000 points", statistics.median(took), 100, "ms")
    middle = arguments.lines // 3
    took = times_of(daemon, [
        f"/jobs/{long}/metrics?points=1000&keys=loss,inv,var,cov&from={middle + i * 7}&to={middle + i * 7 + 20_000}"
        for i in range(9)])
    note("the same of a fiftieth of its steps", statistics.median(took), 75, "ms")
    took = times_of(daemon, [f"/jobs/{long}/metrics?points={1000 + i}&keys=loss&x=time,epoch" for i in range(9)])
    note("curve of the long run over time", statistics.median(took), 100, "ms")
    ids = ",".join(runs)
    first = daemon.request("GET", f"/curves?jobs={ids}&keys=loss,rankme&points=24")[1]
    note("sparklines of 100 runs, for the first time", first, 100, "ms")
    took = times_of(daemon, [f"/curves?jobs={ids}&keys=loss&points={500 + i}" for i in range(5)])
    note("curves of 100 runs, 500 points each", statistics.median(took), 250, "ms")
    again = daemon.request("GET", f"/curves?jobs={ids}&keys=loss,rankme&points=24")[1]
    note("sparklines of 100 runs, again", again, 20, "ms")


class Follower(threading.Thread):
    """A client of the stream of all changes: counts bytes, and the delay of each metric line."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.bytes, self.delays, self.is_over = port, 0, [], False

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/events")
        answer = connection.getresponse()
        while not self.is_over:
            line = answer.readline()
            self.bytes += len(line)
            if line.startswith(b'data: {"job"') and b'"event":"metric"' in line:
                written = json.loads(line[6:])["line"]["time"]
                seconds = time.mktime(time.strptime(written[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
                self.delays.append(time.time() - seconds - int(written[20:23]) / 1000)


def live(daemon, arguments):
    """Fifty clients of the stream while a training runs that writes a line for each step."""
    spec = {
        **SMALL["spec"], "dataset": {"name": "synthetic", "limit": 64}, "batch_size": 16, "epochs": 100_000,
        "encoder": {"width": 16}, "projector": {"widths": [32, 32]}, "log_every_steps": 10, "online": None,
        "schedule": {"name": "constant", "warmup_epochs": 0}, "checkpoint": {"every_epochs": 100_000}}
    job = json.loads(daemon.request("POST", "/jobs", {"kind": "train", "spec": spec, "priority": 100})[0])["id"]
    while daemon.get(f"/jobs/{job}")["latest"] is None:
        time.sleep(0.1)
    followers = [Follower(daemon.port) for _ in range(arguments.pages)]
    for follower in followers:
        follower.start()
    time.sleep(2)
    for follower in followers:
        follower.bytes, follower.delays = 0, []
    before, begun, answers = daemon.cpu_seconds(), time.monotonic(), []
    while time.monotonic() - begun < arguments.seconds:
        answers.append(daemon.request("GET", "/version")[1])
        time.sleep(0.25)
    took = time.monotonic() - begun
    used = daemon.cpu_seconds() - before
    for follower in followers:
        follower.is_over = True
    delays = sorted(delay * 1000 for follower in followers[:5] for delay in follower.delays)
    lines = len(followers[0].delays) / took
    note(f"daemon's cost of {arguments.pages} open streams ({lines:.1f} lines/s)", used / took * 100, 5, "% of a core")
    note("bytes to one of them", followers[0].bytes / took / 1000, 5, "KB/s")
    if delays:
        note("from a metric line to the stream, 99 of 100", delays[len(delays) * 99 // 100], 300, "ms")
    note("a request meanwhile, 9 of 10", sorted(answers)[len(answers) * 9 // 10], 20, "ms")
    daemon.request("POST", f"/jobs/{job}/cancel", {"mode": "now"})


def server(arguments, data, found):
    daemon = Daemon(arguments, data)
    try:
        query, took = worst_list(daemon)
        note(f"10,000 jobs: slowest first page ({query})", took, 20, "ms")
        curves(daemon, found, arguments)
        note("state of the system", statistics.median(times_of(daemon, ["/system"] * 9)), 20, "ms")
        live(daemon, arguments)
    finally:
        daemon.stop()
