"""Numbers and times in files that no worker would write."""

import contextlib
import gzip
import hashlib
import json
import os
import signal
import time

from attack import attack

LEAST, MOST = -(1 << 63), (1 << 63) - 1
ABSURD = [LEAST, -1, 1 << 53, MOST, 1e308]
# 1901, the last nanosecond of 64 bits in 2262, and 2300.
TIMES = [-2_177_452_800, 9_223_372_036, 9_223_372_037, 10_413_792_000]


def look(context, what, targets, timeout=5):
    """Asks for each, and says of which the daemon dies or does not answer."""
    for target in targets:
        try:
            answer = context.daemon.ask("GET", target, timeout=timeout)
            context.expect(answer.status < 500, f"{what}: GET {target} is answered {answer}")
        except OSError as error:
            time.sleep(0.2)
            if not context.daemon.is_alive:
                raise AssertionError(f"{what}: GET {target} ends the daemon")
            context.expect(False, f"{what}: GET {target} has no answer: {type(error).__name__} {error}")


@contextlib.contextmanager
def fresh(context, what, **options):
    """A daemon for one variant of an attack; what goes wrong is noted, and the next variant goes on."""
    daemon = context.daemon = context.start(**options)
    try:
        yield daemon
    except Exception as error:
        context.expect(False, str(error) if what in str(error) else f"{what}: {error}")
    finally:
        daemon.remove()
        context.daemon = None


def start_again(context, what, keep_workers=False, change=lambda: None):
    """Kills the daemon, changes something, and starts it; what ends it is noted."""
    daemon = context.daemon
    workers = daemon.kill_alone() if keep_workers else daemon.kill()
    change()
    daemon.start()
    time.sleep(0.3)
    context.expect(daemon.is_alive, f"{what}: it dies after a start")
    for worker in workers or ():
        os.kill(worker, signal.SIGKILL)


def job_targets(job):
    return ["/jobs", f"/jobs/{job}", f"/jobs/{job}/metrics", f"/jobs/{job}/metrics?points=4",
            f"/jobs/{job}/metrics?points=4&keys=loss", f"/jobs/{job}/metrics?from_step=5", f"/jobs/{job}/transitions",
            f"/jobs/{job}/checkpoints", f"/jobs/{job}/log?tail=5"]


def metric(step, **members):
    return {"event": "metric", "step": step, "epoch": 0, "time": "2026-01-01T00:00:00Z", "loss": 1.5, **members}


EVENTS = {
    "steps of 2^63 − 1 and a metric at −2^63": [
        {"event": "started", "attempt": 1, "step": 0, "steps": MOST, "epochs": 1, "threads": 1, "isa": "avx2"},
        metric(LEAST, images_per_second=1)],
    "steps of 2^63 − 1 and many images left": [
        {"event": "started", "attempt": 1, "step": 0, "steps": MOST, "epochs": 1, "threads": 1, "isa": "avx2"},
        metric(1, images_per_second=1e-300)],
    "metrics at both ends": [metric(LEAST), metric(-1), metric(0), metric(MOST - 1), metric(MOST)],
    "metrics far apart": [metric(1), metric(1 << 53), metric((1 << 62) + 1), metric(MOST)],
    "epochs at both ends": [metric(1, epoch=LEAST), metric(2, epoch=MOST)],
    "values that are not numbers": [
        metric(1, loss=1e308), metric(2, loss=-1e308), metric(3, loss=None), metric(4, loss="a")],
    "a start with absurd members": [
        {"event": "started", "attempt": value, "step": value, "steps": value, "epochs": value, "threads": value,
         "isa": "a"}
        for value in (LEAST, -1, MOST)],
    "checkpoints with absurd members": [
        {"event": "checkpoint", "time": "x", "name": f"step-{value}.safetensors.gz", "step": value, "epoch": value,
         "bytes": value, "sha256": "0"} for value in (LEAST, -1, MOST)],
    "yields at both ends": [
        {"event": "yielded", "time": "x", "step": LEAST}, {"event": "yielded", "time": "x", "step": MOST}],
}


@attack("events.jsonl with numbers that no worker would write", None)
def numbers_in_events(context):
    for what, lines in EVENTS.items():
        with fresh(context, what) as daemon:
            job, folder = daemon.held_job()
            with open(f"{folder}/events.jsonl", "a") as file:
                for line in lines:
                    file.write(json.dumps(line) + "\n")
            time.sleep(0.5)
            look(context, what, job_targets(job))
            start_again(context, what)
            look(context, f"{what}, after a start", job_targets(job)[:5])


@attack("a run's lock with ages and attempts that no worker would write", None)
def numbers_in_lock(context):
    ages = ["1 -5", f"1 {MOST}", f"1 {LEAST}", f"{MOST} 1", "-1 -1", "1 9e99", "1 " + "9" * 400, "1 1\n" * 1_000]
    # With the worker dead, so that its last sign of life counts, and with it alive, so that its id does.
    for first, second, lives in [(None, age, False) for age in ages] + [
            (first, ages[0], lives) for first in ("", str(MOST), "-1", "0") for lives in (False, True)]:
        what = f'a lock of "{"PID" if first is None else first}", "{second[:30]}" of a worker that is ' + (
            "alive" if lives else "dead")
        with fresh(context, what) as daemon:
            _, folder = daemon.held_job()

            def change():
                with open(f"{folder}/lock", "r+") as file:
                    own = file.readline().strip()
                    file.seek(0)
                    file.write(f"{own if first is None else first}\n{second}\n")
                    file.truncate()

            start_again(context, what, keep_workers=lives, change=change)
            look(context, what, ["/jobs"])


@attack("checkpoint manifests with numbers that no worker would write", prepare=lambda c: c.daemon.finished_job())
def numbers_in_manifest(context, prepared):
    job, folder = prepared
    name = next(name for name in os.listdir(f"{folder}/checkpoints") if name.endswith(".json"))
    path = f"{folder}/checkpoints/{name}"
    with open(path) as file:
        right = json.load(file)
    for member in ("step", "epoch", "bytes", "metric"):
        for value in ABSURD:
            with open(path, "w") as file:
                json.dump({**right, member: value}, file)
            look(context, f"a manifest with {member} {value}",
                 [f"/jobs/{job}/checkpoints", f"/jobs/{job}/checkpoints/{right['name']}", f"/jobs/{job}"])
    with open(path, "w") as file:
        json.dump(right, file)


@attack("spec.json with numbers and members that no daemon would write", None)
def numbers_in_spec(context):
    for change in ({"attempt": MOST}, {"attempt": LEAST}, {"threads": MOST}, {"threads": -1},
                   {"spec": {"epochs": MOST}}, {"spec": {"batch_size": MOST, "max_steps": LEAST}}, {"job": "x" * 10_000}):
        what = f"a spec.json with {str(change)[:60]}"
        with fresh(context, what) as daemon:
            job, folder = daemon.held_job()

            def write():
                with open(f"{folder}/spec.json") as file:
                    spec = json.load(file)
                with open(f"{folder}/spec.json", "w") as file:
                    json.dump({**spec, **change}, file)
                # Without its database, the job comes back from its folder alone.
                remove_database(daemon)

            start_again(context, what, change=write)
            look(context, what, ["/jobs"])


def remove_database(daemon):
    for name in os.listdir(daemon.data):
        if name.startswith("vicregd.sqlite"):
            os.remove(f"{daemon.data}/{name}")


@attack("a checkpoint whose header has sizes and shapes that nobody would write",
        prepare=lambda c: c.daemon.finished_job())
def checkpoint_headers(context, prepared):
    job, folder = prepared
    name = next(name for name in os.listdir(f"{folder}/checkpoints") if name.endswith(".gz"))
    path = f"{folder}/checkpoints/{name}"
    with gzip.open(path) as file:
        whole = file.read()
    count = int.from_bytes(whole[:8], "little")
    header, data = json.loads(whole[8:8 + count]), whole[8 + count:]
    tensor = next(key for key in header if key != "__metadata__")

    def changed(**members):
        text = json.dumps({**header, tensor: {**header[tensor], **members}}).encode()
        return len(text).to_bytes(8, "little") + text + data

    variants = {
        "a length of 2^64 − 1": b"\xff" * 8 + whole[8:],
        "a length of 2^63 − 1": MOST.to_bytes(8, "little") + whole[8:],
        "a shape whose product overflows": changed(shape=[1 << 32, 1 << 32, 4]),
        "a negative shape": changed(shape=[-1, 4]),
        "offsets at both ends": changed(data_offsets=[0, MOST]),
        "offsets that go back": changed(data_offsets=[MOST, 0]),
        "nothing but its length": whole[:8],
    }
    for what, content in variants.items():
        packed = gzip.compress(content, 1)
        with open(path, "wb") as file:
            file.write(packed)
        manifest = path.removesuffix(".safetensors.gz") + ".json"
        with open(manifest) as file:
            members = json.load(file)
        with open(manifest, "w") as file:
            json.dump({**members, "bytes": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}, file)
        evaluation = context.daemon.submit({
            "kind": "evaluate", "spec": {"checkpoint": {"job": job}, "dataset": {"name": "synthetic", "limit": 32}}})
        ended = context.daemon.wait_for(lambda: context.daemon.state(evaluation) in ("failed", "succeeded"), 4)
        record = context.daemon.ask("GET", f"/jobs/{evaluation}").json
        context.expect(ended and record["state"] == "failed", f"{what}: an evaluation is {record['state']}")
        context.expect(record.get("reason") != "crash_loop", f"{what}: the worker dies: {record.get('message')}")
        if not ended:
            context.daemon.ask("POST", f"/jobs/{evaluation}/cancel", body={"mode": "now"})


@attack("file times of 1901, 2262 and 2300 on every kind of file", None)
def file_times(context):
    for seconds in TIMES:
        what = f"a file time of {seconds} s"
        with fresh(context, what, tokens=["normal"], is_started=False) as daemon:
            os.mkdir(f"{daemon.root}/public")
            with open(f"{daemon.root}/public/index.html", "w") as file:
                file.write("<!doctype html><title>page</title>")
            daemon.flags += ["--public", f"{daemon.root}/public"]
            daemon.start()
            job, folder = daemon.finished_job()
            held, held_folder = daemon.held_job()
            checkpoint = next(name for name in os.listdir(f"{folder}/checkpoints") if name.endswith(".gz"))
            for path, targets in {
                f"{daemon.data}/tokens": ["/jobs"],
                f"{daemon.root}/public/index.html": ["/", "/index.html"],
                f"{folder}/log.txt": [f"/jobs/{job}/log", f"/jobs/{job}/log?tail=1"],
                f"{folder}/checkpoints/{checkpoint}": [
                    f"/jobs/{job}/checkpoints/{checkpoint}", f"/jobs/{job}/checkpoints"],
                f"{held_folder}/events.jsonl": [f"/jobs/{held}/metrics"],
                f"{held_folder}/lock": [f"/jobs/{held}", "/jobs"],
                f"{held_folder}/spec.json": [f"/jobs/{held}"],
                f"{daemon.data}/lock": ["/jobs"],
            }.items():
                os.utime(path, (seconds, seconds))
                if path.endswith("/lock"):
                    # Time for the dispatcher to look at it.
                    time.sleep(1.5)
                try:
                    look(context, f"{what} on {os.path.basename(path)}", targets)
                except AssertionError as error:
                    context.expect(False, str(error))
                    os.utime(path)
                    daemon.start()
            daemon.kill()
            daemon.start()
            look(context, f"{what}, after a start", ["/jobs", "/"])
