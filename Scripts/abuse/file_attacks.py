"""Files that are not what they seem: FIFOs, sparse ones, bombs, and lines without end."""

import gzip
import os
import struct
import time

import wire
from attack import Skip, attack
from daemon import ENDLESS, Daemon
from number_attacks import fresh, look, start_again

GIB, TIB = 1 << 30, 1 << 40


def idx(dimensions, data=b"", kind=8):
    """An IDX file: http://yann.lecun.com/exdb/mnist."""
    return bytes([0, 0, kind, len(dimensions)]) + b"".join(struct.pack(">I", size) for size in dimensions) + data


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def right_idx(folder):
    os.makedirs(folder, exist_ok=True)
    for split, count in (("train", 20), ("t10k", 10)):
        write(f"{folder}/{split}-images-idx3-ubyte", idx([count, 28, 28], bytes(count * 784)))
        write(f"{folder}/{split}-labels-idx1-ubyte", idx([count], bytes(index % 10 for index in range(count))))


def with_dataset():
    daemon = Daemon(is_started=False)
    right_idx(f"{daemon.root}/images")
    daemon.flags += Daemon.dataset_root(daemon.root)
    daemon.start()
    return daemon


def dataset_targets(daemon, folder, count):
    return [f"/datasets/mnist-idx:{daemon.root}/{folder}".replace("/", "%2F").replace("%2Fdatasets%2F", "/datasets/", 1)
            ] * count


def ask_all(context, targets, what, timeout=10):
    """Asks all at once; each has to be answered in time, and without an internal error."""
    connections = []
    for target in targets:
        connections.append(wire.connect(context.daemon.port, timeout))
        connections[-1].sendall(wire.request_bytes("GET", target))
    for connection in connections:
        try:
            answer = wire.read_answer(connection)
            context.expect(answer.status < 500 or answer.status == 503, f"{what}: {answer}")
        except OSError as error:
            context.expect(False, f"{what}: no answer within {timeout} s ({type(error).__name__})")
            break
    for connection in connections:
        wire.reset(connection)


@attack("8 requests for a dataset whose images are a FIFO", with_dataset)
def fifo_dataset(context):
    path = f"{context.daemon.root}/images/train-images-idx3-ubyte"
    os.remove(path)
    os.mkfifo(path)
    ask_all(context, dataset_targets(context.daemon, "images", 8), "a FIFO as a dataset")


@attack("8 requests for a dataset whose labels are 19.5 KB that unpack to 20 MB", with_dataset)
def label_bomb(context):
    folder = f"{context.daemon.root}/images"
    os.remove(f"{folder}/train-labels-idx1-ubyte")
    write(f"{folder}/train-labels-idx1-ubyte.gz", gzip.compress(idx([20_000_000], bytes(20_000_000))))
    ask_all(context, dataset_targets(context.daemon, "images", 8), "a bomb as labels")


@attack("datasets whose headers promise what the files do not hold", with_dataset)
def dataset_headers(context):
    folder = f"{context.daemon.root}/images"
    for what, name, content in (
            ("4 billion labels", "train-labels-idx1-ubyte", idx([0xFFFF_FFFF])),
            ("4 billion images", "train-images-idx3-ubyte", idx([0xFFFF_FFFF, 28, 28])),
            ("images of 4 billion rows", "train-images-idx3-ubyte", idx([1, 0xFFFF_FFFF, 0xFFFF_FFFF])),
            ("255 dimensions", "train-images-idx3-ubyte", idx([0xFFFF_FFFF] * 255)),
            ("no dimension", "train-images-idx3-ubyte", idx([])),
            ("half a header", "train-images-idx3-ubyte", idx([20, 28, 28])[:7]),
            ("images of no rows", "train-images-idx3-ubyte", idx([20, 0, 0])),
            ("another kind", "train-images-idx3-ubyte", idx([20, 28, 28], bytes(20 * 784), kind=0x0E)),
            ("nothing", "train-images-idx3-ubyte", b"")):
        for is_packed in (False, True):
            right_idx(folder)
            if os.path.exists(f"{folder}/{name}.gz"):
                os.remove(f"{folder}/{name}.gz")
            if is_packed:
                os.remove(f"{folder}/{name}")
            write(f"{folder}/{name}{'.gz' if is_packed else ''}", gzip.compress(content) if is_packed else content)
            ask_all(context, dataset_targets(context.daemon, "images", 2), what)


@attack("images of 1 TB, sparse and as a link to /dev/zero", with_dataset)
def endless_dataset(context):
    path = f"{context.daemon.root}/images/train-images-idx3-ubyte"
    write(path, idx([0x7FFF_FFFF, 28, 28]))
    sparse(path, TIB)
    ask_all(context, dataset_targets(context.daemon, "images", 4), "a sparse dataset")
    os.remove(path)
    os.symlink("/dev/zero", path)
    ask_all(context, dataset_targets(context.daemon, "images", 4), "/dev/zero as a dataset")


def sparse(path, size):
    try:
        os.truncate(path, size)
    except OSError as error:
        raise Skip(f"this file system has no sparse files of {size >> 30} GiB: {error}")


RUN_FILES = ("events.jsonl", "log.txt", "spec.json", "lock", "convolutions.json", "inputs.json",
             "checkpoints/step-00000001.json")


@attack("each file of a run as a FIFO: while it runs, when its worker dies, at the stop and at the next start", None)
def fifo_run(context):
    for name in RUN_FILES:
        what = f"{name} as a FIFO"
        with fresh(context, what) as daemon:
            daemon.kill()
            daemon.flags += ["--shutdown-seconds", "2"]
            daemon.start()
            job, folder = daemon.held_job()
            path = f"{folder}/{name}"
            if "step" in name:
                write(path.replace(".json", ".safetensors.gz"), b"x")
            if os.path.exists(path):
                os.remove(path)
            os.mkfifo(path)
            targets = ["/jobs", f"/jobs/{job}/log", f"/jobs/{job}/log?tail=3", f"/jobs/{job}/checkpoints",
                       f"/jobs/{job}/checkpoints/step-00000001.safetensors.gz", f"/jobs/{job}/metrics", "/readyz"]
            look(context, what, targets, timeout=2)
            for worker in daemon.workers():
                os.kill(worker, 9)
            daemon.submit({**ENDLESS, "name": "another", "priority": 100})
            look(context, f"{what}, its worker dead", ["/jobs", "/readyz"], timeout=2)
            context.expect(daemon.terminate(8) is not None, f"{what}: the daemon does not stop")
            daemon.start(timeout=5)
            look(context, f"{what}, after a start", ["/jobs", "/readyz"], timeout=2)
            answer = daemon.ask("POST", f"/jobs/{job}/cancel", body={"mode": "now"}, timeout=3)
            context.expect(answer.status in (200, 202, 409), f"{what}: cancel: {answer}")
            context.expect(daemon.wait_for(lambda: daemon.ask("GET", "/jobs?state=running").json["jobs"], 5),
                           f"{what}: nothing runs after the job was cancelled")


@attack("a checkpoint manifest of 3 TB, sparse", None)
def sparse_manifest(context):
    daemon = context.daemon = context.start()
    job, folder = daemon.finished_job()
    name = next(name for name in os.listdir(f"{folder}/checkpoints") if name.endswith(".json"))
    sparse(f"{folder}/checkpoints/{name}", 3 * TIB)
    look(context, "a manifest of 3 TB", [f"/jobs/{job}/checkpoints", f"/jobs/{job}"])
    daemon.forget_peak()
    look(context, "a manifest of 3 TB", [f"/jobs/{job}/checkpoints/{name.replace('.json', '.safetensors.gz')}"])
    context.expect(daemon.peak() < 150, f"memory rose to {daemon.peak():.0f} MB")


@attack("spec.json, events.jsonl, convolutions.json and tokens of 3 TB, sparse", None)
def sparse_files(context):
    for name in ("spec.json", "events.jsonl", "convolutions.json", "inputs.json", "lock", "../../tokens"):
        what = f"{name} of 3 TB"
        with fresh(context, what, tokens=["normal"]) as daemon:
            job, folder = daemon.held_job()
            with open(f"{folder}/{name}", "ab"):
                pass
            sparse(f"{folder}/{name}", 3 * TIB)
            # Tokens that cannot be read let nobody in.
            targets = ["/healthz"] if name.endswith("tokens") else ["/jobs", f"/jobs/{job}", f"/jobs/{job}/metrics"]
            look(context, what, targets)
            time.sleep(0.5)
            if not name.endswith("tokens"):
                start_again(context, what)
                look(context, f"{what}, after a start", targets)


@attack("8 requests for the end of a log of 1 TB, reset after a moment", prepare=lambda c: c.daemon.held_job())
def sparse_log(context, prepared):
    job, folder = prepared
    sparse(f"{folder}/log.txt", TIB)
    connections = []
    for _ in range(8):
        connections.append(wire.connect(context.daemon.port))
        connections[-1].sendall(wire.request_bytes("GET", f"/jobs/{job}/log?tail=10"))
    time.sleep(0.5)
    for connection in connections:
        wire.reset(connection)
    time.sleep(1)
    look(context, "a log of 1 TB", [f"/jobs/{job}/log?tail=10"])


@attack("an event line over 1 MiB, which the job meets at every start", None)
def long_line(context):
    daemon = context.daemon = context.start("--workers", "2")
    job, folder = daemon.held_job()
    with open(f"{folder}/events.jsonl", "ab") as file:
        file.write(b'{"event":"metric","loss":1,"text":"' + b"x" * 1_200_000 + b'"}\n')
    before, size, started = daemon.ask("GET", f"/jobs/{job}").json["attempt"], database_bytes(daemon), time.monotonic()
    cpu = daemon.cpu()
    time.sleep(0.2)
    for worker in daemon.workers():
        os.kill(worker, 9)
    other = daemon.submit({**ENDLESS, "name": "another"})
    time.sleep(6)
    seconds = time.monotonic() - started
    record = daemon.ask("GET", f"/jobs/{job}").json
    restarts, grown = record["attempt"] - before, database_bytes(daemon) - size
    context.note(restarts_per_second=round(restarts / seconds, 1), database_grown_kb=grown >> 10,
                 cpu_share=round((daemon.cpu() - cpu) / seconds, 2), state=record["state"])
    context.expect(restarts / seconds < 3, f"its job starts {restarts / seconds:.0f} times a second")
    context.expect(grown < 2 << 20, f"the database grew by {grown >> 20} MB in {seconds:.0f} s")
    context.expect(daemon.state(other) == "running", f"another job is {daemon.state(other)}")


def database_bytes(daemon):
    return sum(os.path.getsize(f"{daemon.data}/{name}") for name in os.listdir(daemon.data) if "sqlite" in name)
