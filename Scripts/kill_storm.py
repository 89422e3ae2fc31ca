#!/usr/bin/env python3
"""A storm of kills over imports, trainings, evaluations and embeddings: nothing may be lost, and every result must be
the one of an undisturbed run.

Starts a daemon of its own in a temporary folder, makes archives of images, and does everything once while nothing
happens: imports of a tar.gz and a zip, a `byol` and a `sigreg` training, an evaluation by every protocol, embeddings of
every layer, and the same by a model that was uploaded. Then it queues the same again and again, while `kill -9` hits
workers, the daemon, both, or the daemon in the middle of an upload. In the end every job must have succeeded with the
bits of the first time: the dataset's digest and list of skipped files, the last checkpoint and the figures of every
step, result and artifacts; only what says how long something took may differ. `vicregd check` must find nothing then.

Needs Python's standard library alone. Ends with status 1 where something was lost or differs:
  kill_storm.py --binary .build/release/vicregd --seconds 900 [-- FLAGS OF THE DAEMON…]
"""

import argparse
import http.client
import io
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib

LAYERS = ("pooled", "fc", "embedding")
PROTOCOLS = ("logistic", "knn", "linear", "linear-seed", "linear-official", "finetune")
TRAININGS = ("byol", "sigreg")
ARCHIVES = ("tar.gz", "zip")
# What says how long something took.
TIMES = ("seconds", "images_per_second", "created_at", "time")
UNFINISHED = 4
SETTLE_SECONDS = 600


def png(dice, side):
    """A colour image with a blob in it."""
    colour, back = (bytes(dice.randrange(256) for _ in range(3)) for _ in range(2))
    x, y, r = (dice.randrange(side) for _ in range(3))
    rows = b"".join(
        b"\0" + b"".join(colour if (i - x) ** 2 + (j - y) ** 2 < r * r / 4 else back for i in range(side))
        for j in range(side))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def archives(count=600):
    """The same files as a tar.gz and as a zip: images of four classes and some that are none."""
    dice = random.Random(5)
    files = [(f"set/class {index % 4}/{index}.png", png(dice, 24 + index % 40)) for index in range(count)]
    files += [(f"set/class 0/broken {index}.png", b"\x89PNG") for index in range(7)]
    files += [(f"set/notes {index}.txt", b"hello") for index in range(150)]
    tar, package = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    with zipfile.ZipFile(package, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return {"tar.gz": tar.getvalue(), "zip": package.getvalue()}


class Daemon:
    """A daemon that is started again after each kill, with the same data."""

    def __init__(self, binary, data, flags):
        self.binary, self.data, self.flags, self.kills = binary, data, flags, {}
        self.start()

    def start(self):
        command = [self.binary, "serve", "--port", "0", "--data", self.data, "--workers", "2",
                   "--threads-per-worker", "1", "--crash-limit", "1000", *self.flags]
        self.log = open(f"{self.data}.txt", "a")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the daemon did not start: {pathlib.Path(self.log.name).read_text()[-500:]}")
        self.url = json.loads(line)["url"]

    def ask(self, target, method="GET", body=None, kind="application/json"):
        """Status and bytes of an answer."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(self.url + target, data, {"Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def get(self, target):
        status, body = self.ask(target)
        if status != 200:
            sys.exit(f"GET {target}: {status} {body.decode()}")
        return json.loads(body)

    def workers(self):
        """Process ids of the workers that live, of this daemon or one before."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"work" in words and any(word.startswith(self.data.encode() + b"/runs/") for word in words):
                found.append(int(folder.name))
        return found

    def count(self, what):
        self.kills[what] = self.kills.get(what, 0) + 1

    def kill(self, what, workers=()):
        """Kills the daemon and some workers, and starts it again."""
        self.process.send_signal(signal.SIGKILL)
        for pid in workers:
            self.kill_process(pid)
        self.process.wait()
        self.log.close()
        self.count(what)
        self.start()

    def kill_process(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def strike(self, dice):
        """Kills something, once there is a worker, if one comes soon."""
        end = time.monotonic() + 5
        while not (workers := self.workers()) and time.monotonic() < end:
            time.sleep(0.05)
        chance = dice.random()
        if chance < 0.65 and workers:
            if self.kill_process(dice.choice(workers)):
                self.count("workers")
        elif chance < 0.85:
            self.kill("daemons alone")
        else:
            self.kill("daemons with their workers", workers)


def plain(value):
    """A value without what says how long something took."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items() if key not in TIMES}
    return [plain(member) for member in value] if isinstance(value, list) else value


class Work:
    """What is done undisturbed once and then in the storm. `queue` gives a job's id, `outcome` what must be equal."""

    def __init__(self, daemon, name):
        self.daemon, self.name, self.expected, self.seconds = daemon, name, None, 0

    def submit(self, kind, spec):
        status, body = self.daemon.ask("/jobs", "POST", {"kind": kind, "name": self.name, "spec": spec})
        if status != 201:
            sys.exit(f"{self.name}: {status} {body.decode()}")
        return json.loads(body)["id"]

    def artifacts(self, job):
        """What the job has left, with a sentence in its place where the job tells otherwise."""
        listed, shown = (self.daemon.get(target)["artifacts"] for target in (f"/jobs/{job}/artifacts", f"/jobs/{job}"))
        return plain(listed) if listed == shown else f"the list has {listed}, the job {shown}"

    def forget(self, job):
        """Removes what is compared, so that the disk does not fill."""
        self.daemon.ask(f"/jobs/{job}", "DELETE")


class Import(Work):
    def __init__(self, daemon, kind, content):
        super().__init__(daemon, f"import of a {kind}")
        self.content, self.number, self.names = content, 0, {}
        self.kind = kind.replace(".", "-")

    def queue(self):
        self.number += 1
        name = f"{self.kind}-{self.number}"
        target = f"/datasets/{name}?side=16&on_bad_image=skip"
        status, body = self.daemon.ask(target, "PUT", self.content, "application/octet-stream")
        if status != 202:
            sys.exit(f"PUT {target}: {status} {body.decode()}")
        job = json.loads(body)["job"]
        self.names[job] = name
        return job

    def outcome(self, job):
        dataset = self.daemon.get(f"/datasets/{self.names[job]}")
        members = ("state", "classes", "counts", "class_counts", "shape", "channels", "mean", "std", "digest",
                   "skipped", "skipped_count", "bytes")
        return {name: dataset[name] for name in members} | {"artifacts": self.artifacts(job)}

    def forget(self, job):
        if self.number > 1:
            self.daemon.ask(f"/datasets/{self.names[job]}", "DELETE")
        super().forget(job)


class Training(Work):
    def __init__(self, daemon, method, dataset):
        super().__init__(daemon, f"training by {method}")
        self.spec = {
            "preset": "small", "method": method, "dataset": {"name": dataset}, "image_size": 16, "epochs": 4,
            "batch_size": 64, "encoder": {"width": 16}, "projector": {"widths": [64, 64]}, "log_every_steps": 1,
            **({"predictor": {"widths": [32, 64]}} if method == "byol" else {}),
            "checkpoint": {"every_epochs": 1}, "seed": 3}

    def queue(self):
        return self.submit("train", self.spec)

    def outcome(self, job):
        checkpoints = self.daemon.get(f"/jobs/{job}/checkpoints")["checkpoints"]
        series = self.daemon.get(f"/jobs/{job}/metrics?points=1000")
        return {"checkpoints": [(one["name"], one["sha256"]) for one in checkpoints],
                "series": plain(series["series"]), "artifacts": self.artifacts(job)}

    def forget(self, job):
        if self.expected is not None:
            super().forget(job)


class Evaluation(Work):
    def __init__(self, daemon, protocol, name, checkpoint, dataset):
        super().__init__(daemon, f"evaluation of {name} by {protocol}")
        self.spec = {"checkpoint": checkpoint, "protocol": protocol, "dataset": {"name": dataset}, "label_share": 0.5,
                     "seeds": 2, "seed": 1}
        if protocol.startswith("linear") or protocol == "finetune":
            self.spec["epochs"] = 3

    def queue(self):
        return self.submit("evaluate", self.spec)

    def outcome(self, job):
        return {"result": plain(self.daemon.get(f"/jobs/{job}")["result"]), "artifacts": self.artifacts(job)}


class Embedding(Evaluation):
    """Of real images, enough of them that kills hit it midway."""

    def __init__(self, daemon, layer, name, checkpoint):
        Work.__init__(self, daemon, f"embedding of {layer} by {name}")
        self.spec = {"checkpoint": checkpoint, "dataset": {"name": "fashion-mnist", "limit": 6_000}, "split": "train",
                     "layer": layer}

    def queue(self):
        return self.submit("embed", self.spec)


def cut_upload(daemon, kind, content, dice):
    """Kills the daemon while it takes a dataset or a model: nothing of it may be left."""
    target = f"/{kind}/cut-{dice.randrange(1 << 30)}"
    connection = http.client.HTTPConnection(daemon.url.split("//")[1], timeout=20)
    connection.putrequest("PUT", target)
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders()
    connection.send(content[:dice.randrange(len(content))])
    time.sleep(dice.random() / 5)
    daemon.kill(f"daemons in an upload to {kind}")
    connection.close()
    status, body = daemon.ask(target)
    return [] if status == 404 else [f"half an upload became one of {kind}: {body.decode()}"]


def exported(daemon, training):
    """Exports a training's encoder and uploads it as the model `mine`; gives the file."""
    status, model = daemon.ask(f"/jobs/{training}/export")
    if status == 200:
        status, answer = daemon.ask("/models/mine", "PUT", model, "application/octet-stream")
    if status != 201:
        sys.exit(f"the model cannot be uploaded: {status}")
    return model


def finish(daemon, job):
    """The job when it has ended."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        found = daemon.get(f"/jobs/{job}")
        if found["state"] in ("succeeded", "failed", "cancelled"):
            return found
        time.sleep(0.1)
    sys.exit(f"job {job} has not ended: {found['state']}")


def undisturbed(work, daemon):
    """Does something once while nothing happens; gives the job."""
    started = time.monotonic()
    job = work.queue()
    found = finish(daemon, job)
    if found["state"] != "succeeded":
        sys.exit(f"{work.name} failed without a kill: {found['message']}")
    work.expected, work.seconds = work.outcome(job), time.monotonic() - started
    return job


def compared(work, job, state):
    """What is wrong with a job that has ended."""
    if state != "succeeded":
        found = work.daemon.get(f"/jobs/{job}")
        return [f"{work.name}, job {job}: {state}: {found['message']}"]
    found = work.outcome(job)
    return [f"{work.name}, job {job}: {part} differs: {json.dumps(found[part])[:500]} instead of "
            f"{json.dumps(expected)[:500]}"
            for part, expected in work.expected.items() if json.dumps(found[part]) != json.dumps(expected)]


def storm(daemon, works, uploads, dice, seconds):
    """Queues and kills for that long, then waits; gives what is wrong, and how often each work was done."""
    problems, done, running = [], {}, {}
    # About as long as a job takes on this machine now: most are hit, and most get on.
    pause = sum(work.seconds for work in works) / len(works)

    def collect():
        for job, work in list(running.items()):
            state = daemon.get(f"/jobs/{job}")["state"]
            if state in ("succeeded", "failed", "cancelled"):
                problems.extend(compared(work, job, state))
                done[work.name] = done.get(work.name, 0) + 1
                work.forget(job)
                del running[job]

    end = time.monotonic() + seconds
    while time.monotonic() < end and not problems:
        while len(running) < UNFINISHED:
            # What was done least comes first, so that all are.
            work = min(works, key=lambda work: (done.get(work.name, 0) + sum(
                other is work for other in running.values()), dice.random()))
            running[work.queue()] = work
        time.sleep(dice.uniform(0.05, pause))
        daemon.strike(dice)
        if dice.random() < 0.05:
            problems += cut_upload(daemon, *dice.choice(uploads), dice)
        collect()
    deadline = time.monotonic() + SETTLE_SECONDS
    while running and time.monotonic() < deadline:
        time.sleep(0.2)
        collect()
    problems += [f"{work.name}, job {job}, has not ended" for job, work in running.items()]
    left = os.listdir(f"{daemon.data}/uploads") + [
        name for name in os.listdir(f"{daemon.data}/models") if not name.endswith(".safetensors")]
    if left:
        problems.append(f"uploads are left behind: {left}")
    return problems, done


def main():
    """Raises the storm; the status says whether everything came out as it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=".build/release/vicregd")
    parser.add_argument("--seconds", type=int, default=180, help="of kills")
    parser.add_argument("--seed", type=int, default=1, help="of what is killed when")
    parser.add_argument("flags", nargs="*", help="further flags of the daemon, after --")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        daemon = Daemon(os.path.abspath(options.binary), f"{folder}/data", options.flags)
        try:
            contents = archives()
            imports = [Import(daemon, kind, content) for kind, content in contents.items()]
            base = [undisturbed(work, daemon) for work in imports]
            if imports[0].expected["digest"] != imports[1].expected["digest"]:
                sys.exit("tar and zip of the same files give different datasets")
            dataset = imports[0].names[base[0]]
            trainings = [Training(daemon, method, dataset) for method in TRAININGS]
            trained = [undisturbed(work, daemon) for work in trainings]
            model = exported(daemon, trained[0])
            sources = [("a training", {"job": trained[0]}, PROTOCOLS, LAYERS),
                       ("a model", {"model": "mine"}, ("logistic", "knn"), ("pooled",))]
            users = [work for name, checkpoint, protocols, layers in sources for work in (
                [Evaluation(daemon, protocol, name, checkpoint, dataset) for protocol in protocols]
                + [Embedding(daemon, layer, name, checkpoint) for layer in layers])]
            for work in users:
                undisturbed(work, daemon)
            print("undisturbed runs are done; the storm begins", flush=True)
            uploads = [("datasets", contents["zip"]), ("models", model)]
            problems, done = storm(
                daemon, imports + trainings + users, uploads, random.Random(options.seed), options.seconds)
            check = subprocess.run([daemon.binary, "check", "--data", daemon.data], capture_output=True, text=True)
            print(check.stdout.strip().splitlines()[-1])
            problems += check.stdout.splitlines() if check.returncode else []
            print("kills: " + ", ".join(f"{count} {what}" for what, count in sorted(daemon.kills.items())))
            print("equal to the undisturbed ones: " + ", ".join(f"{n} × {name}" for name, n in sorted(done.items())))
            for problem in problems:
                print(f"WRONG: {problem}")
        finally:
            workers = daemon.workers()
            daemon.process.kill()
            daemon.process.wait()
            for pid in workers:
                daemon.kill_process(pid)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
