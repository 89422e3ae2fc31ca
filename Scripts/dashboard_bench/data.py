"""What the daemon finds when it is measured: run folders that it restores jobs from, and queued jobs."""

import hashlib
import json
import math
import random
import time
from pathlib import Path

from .daemon import Daemon, note

SMALL = {"kind": "train", "spec": {"preset": "small", "epochs": 1, "dataset": {"name": "synthetic"}}}
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def identifier(number):
    """The id of a job: 16 digits, of which the first ten are its time."""
    milliseconds = 1_790_000_000_000 + number * 1000
    text = ""
    for value, count in ((milliseconds, 10), (number, 6)):
        digits = ""
        for _ in range(count):
            digits, value = DIGITS[value % 32] + digits, value // 32
        text += digits
    return text


def moment(seconds):
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_790_000_000 + seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def write_lines(path, steps, seed):
    """The events of a training with so many metric lines, each as a worker writes it."""
    chance = random.Random(seed)
    with open(path, "w", buffering=1 << 20) as file:
        file.write(json.dumps({
            "event": "started", "time": moment(0), "attempt": 1, "step": 0, "steps": steps, "epochs": 10,
            "threads": 1, "isa": "avx2", "version": "0.1.0"}) + "\n")
        level, end = 20 + chance.random() * 10, 5 + chance.random() * 10
        noise = [chance.gauss(0, 1) for _ in range(4096)]
        for step in range(1, steps + 1):
            share = step / steps
            loss = end + (level - end) * math.exp(-5 * share) + noise[step % 4096] * 0.3
            file.write(
                f'{{"event":"metric","step":{step},"epoch":{int(share * 9.999)},"time":"{moment(step * 0.05)}",'
                f'"inv":{loss / 100:.12f},"var":{loss / 30:.12f},"cov":{1 + noise[-step % 4096] / 9:.12f},'
                f'"loss":{loss:.12f},"std_mean":{0.5 + share / 2:.6f},"std_min":{0.2 + share / 3:.6f},'
                f'"corr":{0.1 + noise[step % 977] / 99:.6f},"rankme":{10 + 50 * share:.6f},'
                f'"grad_norm":{2 + noise[step % 613] / 5:.6f},"lr":0.0002,"images_per_second":812.5}}\n')
            if step == steps:
                file.write(f'{{"event":"end","time":"{moment(step * 0.05)}","state":"succeeded"}}\n')


def write_projection(folder, points):
    """The artifact of a training's held-back images, as its worker leaves it, and its event."""
    chance = random.Random(7)
    labels = [chance.randrange(10) for _ in range(points)]
    content = json.dumps({
        "classes": [f"class {index}" for index in range(10)], "epoch": 9, "step": 100,
        "explained_variance": [0.2, 0.1], "indices": list(range(points)), "labels": labels,
        "points": [
            [round(math.cos(label) * 3 + chance.gauss(0, 1), 5), round(math.sin(label) * 3 + chance.gauss(0, 1), 5)]
            for label in labels]}).encode()
    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    digest = hashlib.sha256(content).hexdigest()
    (artifacts / "projection.json").write_bytes(content)
    manifest = {
        "name": "projection.json", "media_type": "application/json", "bytes": len(content), "sha256": digest,
        "created_at": moment(1)}
    (artifacts / "projection.json.manifest").write_text(json.dumps(manifest))
    return json.dumps({"event": "artifact", "time": moment(1), **manifest})


def write_run(data, number, spec, steps, projection=None):
    """A run folder as a worker that has ended leaves it."""
    job = identifier(number)
    folder = Path(data, "runs", job)
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(
        json.dumps({"job": job, "attempt": 1, "kind": "train", "spec": spec, "threads": 1}))
    write_lines(folder / "events.jsonl", steps, number)
    if projection:
        lines = (folder / "events.jsonl").read_text().splitlines()
        lines.insert(1, write_projection(folder, projection))
        (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    return job


def resolved(daemon, **changes):
    """What the daemon makes of a small training."""
    spec = {**SMALL["spec"], **changes}
    content, _ = daemon.request("POST", "/jobs?dry_run=true", {"kind": "train", "spec": spec})
    return json.loads(content)["spec"]


def wait_until_done(daemon, count):
    while True:
        jobs = daemon.get("/readyz")["jobs"]
        if jobs["succeeded"] + jobs["failed"] >= count:
            return
        time.sleep(0.05)


def database_bytes(data):
    return sum(Path(data, f"vicregd.sqlite{end}").stat().st_size for end in ("", "-wal")
               if Path(data, f"vicregd.sqlite{end}").exists())


def prepare(arguments, data):
    """Fills the data folder; gives the jobs of the long run, of the compared ones and of the projection."""
    made = Path(data, "bench.json")
    if made.exists():
        return json.loads(made.read_text())
    daemon = Daemon(arguments, data)
    specs = [resolved(daemon, method=method) for method in ("vicreg", "simclr", "barlow-twins")]
    daemon.stop()
    empty = database_bytes(data)
    long = write_run(data, 1, specs[0], arguments.lines)
    begun = time.monotonic()
    daemon = Daemon(arguments, data)
    wait_until_done(daemon, 1)
    took = time.monotonic() - begun
    daemon.request("GET", f"/jobs/{long}/metrics?points=10")
    daemon.stop()
    size = database_bytes(data) - empty
    lines = Path(data, "runs", long, "events.jsonl").stat().st_size
    note("ingestion of a run that waits", arguments.lines / took, 100_000, "lines/s", least=True)
    note("database per million lines", size / arguments.lines * 1e6 / 1e6, None, "MB")
    note("the same lines as text", lines / arguments.lines * 1e6 / 1e6, None, "MB")

    runs = [write_run(data, 10 + index, specs[index % 3], 2_000) for index in range(arguments.runs)]
    projected = write_run(data, 5, specs[0], 500, projection=10_000)
    short = min(500, arguments.jobs // 10)
    for index in range(short):
        write_run(data, 1_000 + index, specs[index % 3], 3 + index % 5)
    daemon = Daemon(arguments, data)
    wait_until_done(daemon, 2 + len(runs) + short)
    first = json.loads(daemon.request("POST", "/jobs", {**SMALL, "priority": 0, "name": "the one that waits"})[0])
    daemon.request("POST", f"/jobs/{first['id']}/pause", {})
    left = arguments.jobs - short - len(runs) - 3
    for start in range(0, left, 1_000):
        jobs = [{
            **SMALL, "name": f"run {index:05d} {('alpha', 'beta', 'gamma')[index % 3]}", "priority": index % 100,
            "labels": {"team": "abcde"[index % 5], "group": str(index % 50)}, "notes": f"note {index}" if index % 4 else None,
            "needs": [first["id"]]} for index in range(start, min(start + 1_000, left))]
        daemon.request("POST", "/jobs", {"jobs": jobs})
    for index, job in enumerate(runs):
        daemon.request("PATCH", f"/jobs/{job}", {"name": f"compared {index:03d}"})
    daemon.request("PATCH", f"/jobs/{long}", {"name": "a million lines"})
    daemon.request("PATCH", f"/jobs/{projected}", {"name": "ten thousand points"})
    daemon.stop()
    found = {"long": long, "runs": runs, "projected": projected}
    made.write_text(json.dumps(found))
    return found
