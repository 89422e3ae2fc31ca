"""A daemon of a script's own, and requests to it."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


@contextlib.contextmanager
def daemon(binary, *arguments, isa=None):
    """Runs `binary serve` on a free port with a data folder of its own; gives its URL.

    `arguments` are further flags; `isa` forces an instruction set.
    """
    environment = {**os.environ, **({"VICREGD_ISA": isa} if isa else {})}
    with tempfile.TemporaryDirectory() as data:
        command = [str(binary), "serve", "--port", "0", "--data", data, *arguments]
        with open(f"{data}/daemon.txt", "w+") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
            try:
                line = process.stdout.readline()
                if not line:
                    log.seek(0)
                    sys.exit(f"{binary} serve did not start: {log.read().strip()}")
                yield json.loads(line)["url"]
            finally:
                process.terminate()
                process.wait()


def fetch(url, body=None):
    """The bytes of an answer; a refusal ends the script with the daemon's words, unless it says to come back."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    tries = 30
    while True:
        try:
            with urllib.request.urlopen(request) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            tries -= 1
            if error.code != 503 or not tries:
                sys.exit(f"{url}: {error.code} {error.read().decode()}")
            time.sleep(int(error.headers.get("Retry-After", 1)))
