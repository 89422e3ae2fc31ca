"""The daemon that is measured, and the table of figures."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

rows = []


def note(what, value, bound, unit, least=False):
    """Takes a figure into the table; `bound` None: it has none."""
    good = bound is None or (value >= bound if least else value <= bound)
    rows.append((what, value, bound, unit, least, good))
    limit = "" if bound is None else f", {'at least' if least else 'at most'} {bound:g}"
    print(f"{'    ' if good else 'OVER'} {what}: {value:.4g} {unit}{limit}", flush=True)


class Daemon:
    """The program on a data folder, and one connection to it that stays open."""

    def __init__(self, arguments, data, *flags):
        command = [
            arguments.binary, "serve", "--port", "0", "--data", str(data), "--public", arguments.public,
            "--migrations", arguments.migrations, "--threads-per-worker", "1", *flags]
        with open(f"{data}/daemon.txt", "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the daemon does not start: {Path(data, 'daemon.txt').read_text()[-2000:]}")
        self.url = json.loads(line)["url"]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)

    def request(self, method, path, body=None, headers=None):
        """The content of an answer and the milliseconds that it took."""
        headers = {**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        begun = time.perf_counter()
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        content = answer.read()
        took = (time.perf_counter() - begun) * 1000
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {content.decode()[:500]}")
        return content, took

    def get(self, path):
        return json.loads(self.request("GET", path)[0])

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)
