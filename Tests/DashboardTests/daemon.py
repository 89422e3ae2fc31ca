"""The real daemon on a data folder of its own, and the jobs that the tests queue."""

import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.abspath(f"{os.path.dirname(os.path.abspath(__file__))}/../..")
BINARY = os.environ.get("DASHBOARD_DAEMON", f"{ROOT}/.build/debug/vicregd")
# No test waits longer than this for anything; a machine under load may need most of it.
PATIENCE_SECONDS = float(os.environ.get("DASHBOARD_PATIENCE", 300))


def training(name=None, **changes):
    """A training whose steps take as little as possible, without a checkpoint before its end."""
    spec = {"preset": "small", "dataset": {"name": "synthetic", "limit": 32}, "batch_size": 16, "max_steps": 2,
            "encoder": {"width": 16}, "projector": {"widths": [32, 32]}, "log_every_steps": 1, "epochs": 1000,
            "schedule": {"name": "constant", "warmup_epochs": 0}, "checkpoint": {"every_epochs": 1000}}
    return {"kind": "train", "name": name, "spec": {**spec, **changes}}


def endless(name=None):
    """A training that lasts longer than any test."""
    return training(name, max_steps=None, epochs=100_000)


def wait_until(condition, what):
    """Waits until `condition` gives something, and gives that."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain for: {what}")


class Daemon:
    """A daemon on a free port of the loopback address, which it keeps when it is started again."""

    def __init__(self, *flags, token=None, workers=1):
        self.folder = tempfile.mkdtemp(prefix="vicregd-dashboard-")
        self.data = f"{self.folder}/data"
        self.flags = ["--workers", str(workers), "--threads-per-worker", "1", *flags]
        self.port = 0
        self.process = None
        self.secret = self.create_token(token) if token else None
        self.start()

    def command(self, *arguments):
        """Runs another command of the program on the data folder; gives what it prints."""
        return subprocess.run([BINARY, *arguments, "--data", self.data], check=True, capture_output=True,
                              text=True).stdout.strip()

    def create_token(self, name):
        return self.command("token", "create", "--name", name, "--role", "write").split()[-1]

    def start(self):
        command = [BINARY, "serve", "--port", str(self.port), "--data", self.data, "--public", f"{ROOT}/Public",
                   "--migrations", f"{ROOT}/migrations", *self.flags]
        with open(f"{self.folder}/errors.txt", "a") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        if not select.select([self.process.stdout], [], [], PATIENCE_SECONDS)[0]:
            raise AssertionError("the daemon does not listen")
        self.url = json.loads(self.process.stdout.readline() or "{}").get("url")
        if self.url is None:
            raise AssertionError(f"the daemon ended: {open(f'{self.folder}/errors.txt').read()}")
        self.port = int(self.url.rsplit(":", 1)[1])

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Ends the daemon and its workers, and removes its folder."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, body=None):
        """(status, JSON) of an answer."""
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers["Authorization"] = f"Bearer {self.secret}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def put(self, path, data):
        """(status, JSON) of an upload."""
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/octet-stream"}, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def delete(self, path):
        """The status of an answer without content."""
        request = urllib.request.Request(self.url + path, method="DELETE")
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status

    def get(self, path):
        status, answer = self.ask("GET", path)
        assert status == 200, f"GET {path}: {status} {answer}"
        return answer

    def queue(self, *jobs):
        """Queues all jobs at once; gives their ids."""
        status, answer = self.ask("POST", "/jobs", {"jobs": list(jobs)})
        assert status == 201, answer
        return [job["id"] for job in answer["jobs"]]

    def job(self, identifier):
        return self.get(f"/jobs/{identifier}")

    def change(self, identifier, action):
        status, answer = self.ask("POST", f"/jobs/{identifier}/{action}", {})
        assert status < 300, answer

    def wait_for(self, identifier, *states):
        """The job once it is in one of the states."""
        def look():
            job = self.job(identifier)
            return job if job["state"] in states else None
        return wait_until(look, f"job {identifier} in {states}")

    def wait_for_line(self, identifier):
        """The job once it has recorded a metric line."""
        return wait_until(lambda: self.job(identifier)["latest"] and self.job(identifier), f"a line of {identifier}")

    def rename(self, identifier, name):
        """Gives a job a name that the daemon would refuse today, as an older version may have left it."""
        with sqlite3.connect(f"{self.data}/vicregd.sqlite") as database:
            database.execute("UPDATE jobs SET name = ? WHERE id = ?", (name, identifier))
        database.close()
