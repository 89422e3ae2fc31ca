"""Work that outlives its client, memory before authentication, and requests heavier than they look."""

import concurrent.futures
import os
import ssl
import subprocess
import time

import wire
from attack import attack
from daemon import Daemon

MAP_PATH = "/vendor/dygraphs/dygraph.js.map"


def with_charts():
    """A daemon with a file of the size and the kind of the chart library's source map."""
    daemon = Daemon(is_started=False)
    os.mkdir(f"{daemon.root}/charts")
    with open(f"{daemon.root}/charts/dygraph.js.map", "w") as file:
        for line in range(12_000):
            file.write(f"AAAA,{line * 7919 % 104_729:x};{line * 31 % 977:o},CAAC,{line:b}\n")
    daemon.flags += ["--dygraphs", f"{daemon.root}/charts"]
    daemon.start()
    return daemon


def send_and_reset(context, request, count):
    for _ in range(count):
        connection = wire.connect(context.daemon.port)
        try:
            connection.sendall(context.sent(request))
        except OSError:
            pass
        wire.reset(connection)


@attack("500 requests for a compressed static file, each reset at once", with_charts, checks_cpu=True)
def reset_static(context):
    request = wire.request_bytes("GET", MAP_PATH, [("Accept-Encoding", "gzip")])
    send_and_reset(context, request, 500)
    answer = wire.ask(context.daemon.port, "GET", MAP_PATH, [("Accept-Encoding", "gzip")], timeout=10)
    context.expect(answer.status == 200, f"the file is not served any more: {answer}")
    context.expect(answer.fields.get("content-encoding") == "gzip", "the file is not compressed any more")


@attack("1,500 requests for 500 jobs, each reset at once", checks_cpu=True, prepare=lambda c: c.daemon.fill(3_000))
def reset_list(context, _):
    send_and_reset(context, wire.request_bytes("GET", "/jobs?limit=500"), 1_500)


@attack("200 clients ask for 500 jobs at the same time and wait", prepare=lambda c: c.daemon.fill(3_000))
def crowd_list(context, _):
    connections = []
    for _ in range(200):
        connection = wire.connect(context.daemon.port, 15)
        connection.sendall(wire.request_bytes("GET", "/jobs?limit=500"))
        connections.append(connection)
    statuses = {}
    for connection in connections:
        try:
            answer = wire.read_answer(connection)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if answer.status in (429, 503):
                context.expect("retry-after" in answer.fields, f"{answer.status} without Retry-After")
        except OSError as error:
            context.expect(False, f"no answer: {type(error).__name__} {error}")
        connection.close()
    context.note(statuses=statuses)
    context.expect(set(statuses) <= {200, 503, 429}, f"answers are {statuses}")


@attack("cancel and delete beside 300 waiting requests for 500 jobs", prepare=lambda c: c.daemon.fill(3_000))
def control_beside_crowd(context, _):
    daemon = context.daemon
    job = daemon.ask("GET", "/jobs?limit=1&state=queued").json["jobs"][0]["id"]
    connections = []
    for _ in range(300):
        connections.append(wire.connect(daemon.port, 15))
        connections[-1].sendall(wire.request_bytes("GET", "/jobs?limit=500"))
    started = time.monotonic()
    cancelled = wire.ask(daemon.port, "POST", f"/jobs/{job}/cancel", [("Content-Type", "application/json")], b"{}",
                         source="127.0.0.1")
    deleted = wire.ask(daemon.port, "DELETE", f"/jobs/{job}", source="127.0.0.1")
    took = time.monotonic() - started
    context.note(control_ms=round(took * 1000))
    context.expect(cancelled.status in (200, 202), f"cancel: {cancelled}")
    context.expect(deleted.status in (200, 204), f"delete: {deleted}")
    context.expect(took < 1, f"cancel and delete took {took:.1f} s")
    for connection in connections:
        wire.reset(connection)


# Two million values, which take many times the memory of their text.
NUMBERS = b'{"kind": "train", "spec": {"a": [' + b"1," * 2_000_000 + b"1]}}"
JSON_TYPE = [("Content-Type", "application/json")]


@attack("60 bodies of 4 MB of small numbers, each reset once it is sent", checks_cpu=True)
def reset_bodies(context):
    send_and_reset(context, wire.request_bytes("POST", "/jobs", JSON_TYPE, NUMBERS), 60)


@attack("20 bodies of 4 MB of small numbers at the same time, whose senders wait for the answer")
def waiting_bodies(context):
    request = wire.request_bytes("POST", "/jobs", JSON_TYPE, NUMBERS)

    def send(_):
        with wire.connect(context.daemon.port, 15) as connection:
            try:
                connection.sendall(request)
            except OSError:
                # It was refused before all was sent, and the answer may still be there.
                pass
            try:
                return wire.read_answer(connection).status
            except OSError:
                return None

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(send, range(20)))
    context.note(statuses=sorted({str(status) for status in statuses}))
    context.expect(all(status in (None, 400, 413, 422, 503) for status in statuses), f"answers are {set(statuses)}")


@attack("50 bodies of 4 MB without a token, held just before their end", lambda: Daemon(tokens=["normal"]))
def unauthenticated_bodies(context):
    body = b'{"kind": "train", "notes": "' + b"x" * 4_000_000
    request = wire.request_bytes("POST", "/jobs", JSON_TYPE, body)[:-1]
    connections = []
    for _ in range(50):
        connection = wire.connect(context.daemon.port, 3)
        try:
            connection.sendall(request)
        except OSError:
            # It was refused before all was sent.
            pass
        connections.append(connection)
    early = 0
    for connection in connections:
        try:
            early += wire.read_answer(connection).status == 401
        except OSError:
            break
    context.note(refused_at_the_head=early)
    # A reset may take the answer away from a client that goes on sending.
    context.expect(early > 0, "no request is refused before its whole body has come")
    for connection in connections:
        connection.close()


def ask_and_leave(context, targets, seconds):
    """Sends every request at once, waits a little, and resets them all."""
    connections = []
    for target in targets:
        connections.append(wire.connect(context.daemon.port))
        connections[-1].sendall(context.sent(wire.request_bytes("GET", target)))
    time.sleep(seconds)
    for connection in connections:
        wire.reset(connection)


@attack("8 requests for the description of a large synthetic dataset, left after 3 s")
def heavy_synthetic(context):
    ask_and_leave(context, ["/datasets/synthetic:side=512,count=500"] * 8, 3)


@attack("400 requests for 100 different synthetic datasets, left after 3 s")
def many_synthetic(context):
    targets = [f"/datasets/synthetic:side=512,count={400 + index % 100}" for index in range(400)]
    ask_and_leave(context, targets, 3)


@attack("60 jobs, each with a dataset name of its own of 500 KB")
def long_dataset_names(context):
    for index in range(60):
        name = f"synthetic:count={index + 100}," + "count=400," * 50_000 + "count=400"
        answer = context.daemon.ask("POST", "/jobs?dry_run=true",
                                    body={"kind": "train", "spec": {"dataset": {"name": name}}})
        context.expect(answer.status in (200, 422), f"a long dataset name: {answer}")
        context.expect(answer.count < 65_536, f"an answer has {answer.count} bytes")


def long_run(context):
    """A held job with 50,000 metric lines, a log of 60 MB and 2,000 checkpoints."""
    daemon = context.daemon
    job, folder = daemon.held_job()
    with open(f"{folder}/events.jsonl", "a") as file:
        for step in range(1, 50_001):
            file.write(f'{{"event":"metric","step":{step},"epoch":0,"time":"2026-01-01T00:00:00Z","loss":{step}.5,'
                       f'"inv":0.1,"var":0.2,"cov":0.3}}\n')
    with open(f"{folder}/log.txt", "w") as file:
        file.write("a line of the log, no longer than most\n" * 1_500_000)
    for step in range(1, 2_001):
        stem = f"{folder}/checkpoints/step-{step:08}"
        with open(f"{stem}.safetensors.gz", "wb") as file:
            file.write(b"x" * 10)
        with open(f"{stem}.json", "w") as file:
            file.write(f'{{"name":"step-{step:08}.safetensors.gz","step":{step},"epoch":0,"bytes":10,'
                       f'"sha256":"{"0" * 64}"}}')

    def is_read():
        latest = daemon.ask("GET", f"/jobs/{job}").json["latest"]
        return latest and latest.get("step") == 50_000

    assert daemon.wait_for(is_read, 30), "the metric lines were not read"
    return job


@attack("200 requests for a long curve, left after 2 s", prepare=long_run)
def heavy_curves(context, job):
    ask_and_leave(context, [f"/jobs/{job}/metrics?points=2000&keys=inv,var,cov,loss"] * 200, 2)


@attack("200 requests for all of many metric lines, left after 2 s", prepare=long_run)
def heavy_metrics(context, job):
    ask_and_leave(context, [f"/jobs/{job}/metrics"] * 200, 2)


@attack("200 requests for the end of a long log, left after 2 s", prepare=long_run)
def heavy_tail(context, job):
    ask_and_leave(context, [f"/jobs/{job}/log?tail=100000"] * 200, 2)


@attack("200 requests for a list of 2,000 checkpoints, left after 2 s", prepare=long_run)
def heavy_checkpoints(context, job):
    ask_and_leave(context, [f"/jobs/{job}/checkpoints"] * 200, 2)


@attack("500 requests for the list of datasets, left after 2 s")
def heavy_datasets(context):
    ask_and_leave(context, ["/datasets"] * 500, 2)


def with_large_page():
    daemon = Daemon(is_started=False)
    os.mkdir(f"{daemon.root}/public")
    with open(f"{daemon.root}/public/large.bin", "wb") as file:
        file.write(os.urandom(1 << 20) * 64)
    with open(f"{daemon.root}/public/index.html", "w") as file:
        file.write("<!doctype html><title>page</title>")
    daemon.flags += ["--public", f"{daemon.root}/public"]
    daemon.start()
    return daemon


@attack("requests for 16 ranges of a large file on 100 connections that do not read", with_large_page)
def many_ranges(context):
    before = context.daemon.descriptors()
    ranges = ",".join(f"{index * 4_000_000}-{index * 4_000_000 + 3_000_000}" for index in range(16))
    connections = []
    for _ in range(100):
        connection = wire.connect(context.daemon.port)
        connection.sendall(wire.request_bytes("GET", "/large.bin", [("Range", f"bytes={ranges}")]))
        connections.append(connection)
    time.sleep(2)
    held = context.daemon.descriptors() - before
    context.note(descriptors=held)
    # A connection and a file each, and what the normal client uses.
    context.expect(held <= 2 * 100 + 20, f"100 connections hold {held} descriptors")
    for connection in connections:
        wire.reset(connection)


@attack("500 clients that wait for a job by Prefer: wait and go away", prepare=lambda c: c.daemon.held_job()[0])
def closed_waits(context, job):
    daemon = context.daemon
    before = daemon.descriptors()
    request = wire.request_bytes("GET", f"/jobs/{job}", [("Prefer", "wait=60")])
    connections = []
    for _ in range(500):
        connections.append(wire.connect(daemon.port))
        connections[-1].sendall(request)
    time.sleep(1)
    for connection in connections:
        wire.reset(connection)
    context.expect(daemon.wait_for(lambda: daemon.descriptors() < before + 20, 5),
                   f"{daemon.descriptors() - before} descriptors are held 5 s after the clients left")
    started = time.monotonic()
    answer = wire.ask(daemon.port, "GET", f"/jobs/{job}", [("Prefer", "wait=1")])
    took = time.monotonic() - started
    context.expect(answer.status == 200 and took > 0.8, f"a further client cannot wait: {answer} after {took:.1f} s")


def with_certificate(*flags, bits=4096, mode=0o600):
    daemon = Daemon(*flags, is_started=False)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", f"{daemon.root}/key.pem", "-out", f"{daemon.root}/cert.pem"], check=True, capture_output=True)
    os.chmod(f"{daemon.root}/key.pem", mode)
    daemon.flags += ["--tls-cert", f"{daemon.root}/cert.pem", "--tls-key", f"{daemon.root}/key.pem"]
    return daemon


def with_tls():
    daemon = with_certificate()
    daemon.start()
    return daemon


@attack("300 TLS hellos at once, to a certificate of 4,096 bits", with_tls)
def tls_hellos(context):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    time.sleep(0.5)
    connections = [wire.connect(context.daemon.port) for _ in range(300)]
    for connection in connections:
        connection.sendall(hello)
    time.sleep(3)
    answer = context.daemon.ask("GET", "/healthz")
    context.expect(answer.status == 200, f"a new client gets {answer}")
    for connection in connections:
        wire.reset(connection)
