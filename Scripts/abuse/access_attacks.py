"""Tokens, sessions, hosts, paths, and other users of the machine."""

import concurrent.futures
import os
import subprocess
import time

import wire
from attack import Context, Skip, attack
from daemon import ENDLESS, Daemon, StartError
from file_attacks import right_idx
from load_attacks import with_certificate

# A user that owns nothing here.
STRANGER = 65_534


def with_token():
    return Daemon(tokens=["normal"])


@attack("a page of another site on 0.0.0.0 --insecure-no-auth (DNS rebinding)", None)
def rebinding(context):
    if not Context.is_isolated:
        raise Skip("needs a network namespace of its own (root)")
    daemon = context.start("--host", "0.0.0.0", "--insecure-no-auth")
    for host, origin in (("evil.example", "http://evil.example"), ("evil.example:8080", None),
                         ("localhost.evil.example", None), ("127.0.0.1.evil.example", "http://127.0.0.1.evil.example")):
        fields = [("Origin", origin)] if origin else []
        answer = daemon.ask("POST", "/jobs", fields, body=ENDLESS, host=host)
        context.expect(answer.status in (403, 421), f"Host: {host}: {answer.status}, must be 421")
        answer = daemon.ask("GET", "/jobs", fields, host=host)
        context.expect(answer.status in (403, 421), f"GET, Host: {host}: {answer.status}, must be 421")
    for host in ("localhost", f"127.0.0.1:{daemon.port}", f"10.1.2.3:{daemon.port}", "[::1]"):
        answer = daemon.ask("GET", "/jobs", host=host)
        context.expect(answer.status == 200, f"Host: {host}: {answer.status}, must be 200")
    try:
        context.start("--host", "0.0.0.0", "--insecure-no-auth", "--allowed-hosts", "*")
        context.expect(False, "--allowed-hosts '*' without tokens starts, and must not")
    except StartError:
        pass


@attack("12 token commands at once, and revocations between them", None)
def token_races(context):
    daemon = Daemon(is_started=False)
    context.daemons.append(daemon)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        made = list(pool.map(lambda n: daemon.token("create", "--name", f"t{n}").returncode, range(12)))
    names = daemon.token("list").stdout.split()[0::3]
    context.note(kept=f"{len(names)} of {made.count(0)}")
    context.expect(len(names) == made.count(0) == 12,
                   f"of {made.count(0)} tokens that were printed {len(names)} are kept")
    for name in names:
        daemon.token("revoke", "--name", name)
    daemon.token("create", "--name", "stays")
    for round in range(6):
        daemon.token("create", "--name", f"old{round}")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            revoke = pool.submit(daemon.token, "revoke", "--name", f"old{round}")
            create = pool.submit(daemon.token, "create", "--name", f"new{round}")
            results = revoke.result().returncode, create.result().returncode
        names = daemon.token("list").stdout.split()[0::3]
        context.expect(results[0] != 0 or f"old{round}" not in names, "a revocation was reported and is undone")
        context.expect(results[1] != 0 or f"new{round}" in names, "a token was printed and is lost")


@attack("100 wrong tokens from an address, then right ones", with_token)
def lock_out(context):
    daemon = context.daemon
    for index in range(100):
        answer = daemon.ask("GET", "/jobs", token=f"vicregd_{index:043}", source="127.0.0.1")
        context.expect(answer.status in (401, 429), f"a wrong token: {answer}")
    context.note(last_wrong=answer.status)
    fresh = daemon.token("create", "--name", "fresh").stdout.strip()
    for name, secret in (("fresh", fresh), ("normal", daemon.secrets["normal"])):
        answer = daemon.ask("GET", "/jobs", token=secret, source="127.0.0.1")
        context.expect(answer.status == 200, f"the right token {name} is refused after wrong ones: {answer.status}")


@attack("streams and long polls of a token that is revoked", with_token)
def revoked_streams(context):
    daemon = context.daemon
    job, _ = daemon.held_job()
    secret = daemon.token("create", "--name", "leaver").stdout.strip()
    authorization = ("Authorization", f"Bearer {secret}")
    connections = {}
    for what, target, fields in (("stream of all events", "/events", []),
                                 ("stream of a job", f"/jobs/{job}/events", []),
                                 ("long poll", f"/jobs/{job}", [("Prefer", "wait=60")]),
                                 ("followed metrics", f"/jobs/{job}/metrics?follow=true", [])):
        connections[what] = wire.connect(daemon.port, 8)
        connections[what].sendall(wire.request_bytes("GET", target, [authorization, *fields]))
    time.sleep(1)
    daemon.token("revoke", "--name", "leaver")
    context.expect(daemon.ask("GET", "/jobs", token=secret).status == 401, "a revoked token is accepted")
    end = time.monotonic() + 5
    for what, connection in connections.items():
        connection.settimeout(max(0.1, end - time.monotonic()))
        received = b""
        try:
            while piece := connection.recv(65_536):
                received += piece
                if time.monotonic() > end:
                    raise TimeoutError
        except TimeoutError:
            is_answered = what == "long poll" and received.startswith(b"HTTP/1.1 401")
            context.expect(is_answered, f"a {what} goes on 5 s after its token was revoked")
        except OSError:
            pass
        connection.close()


@attack("cookies after logout and revocation, and beside other cookies", with_token, has_normal=False)
def sessions(context):
    daemon = context.daemon
    secret = daemon.token("create", "--name", "person").stdout.strip()

    def log_in():
        answer = daemon.ask("POST", "/session", token=secret)
        cookie = answer.fields.get("set-cookie", "")
        context.expect(cookie.split(";")[0].count("=") == 1, f"a login sets no cookie: {answer}")
        return cookie

    def status(cookies):
        return wire.ask(daemon.port, "GET", "/jobs", [("Cookie", cookies)]).status

    whole = log_in()
    cookie = whole.split(";")[0]
    context.note(cookie=cookie.split("=")[0], attributes=whole.split(";", 1)[1].strip())
    context.expect(secret not in whole, "the cookie is the token")
    age = [int(part.split("=")[1]) for part in whole.replace(" ", "").split(";") if part.startswith("Max-Age=")]
    context.expect(not age or age[0] <= 12 * 3600, f"the cookie lasts for {age[0] if age else 0} s, must be ≤ 12 hours")
    context.expect(status(cookie) == 200, "the cookie is not accepted")
    name = cookie.split("=")[0]
    context.expect(status(f"{name}=wrong; {cookie}") == 200, "a wrong cookie of the same name hides the right one")
    context.expect(status(f"{name}=wrong") == 401, "a wrong cookie is accepted")
    wire.ask(daemon.port, "DELETE", "/session", [("Cookie", cookie)])
    context.expect(status(cookie) == 401, "the cookie is valid after logout")
    other = log_in().split(";")[0]
    daemon.token("revoke", "--name", "person")
    context.expect(status(other) == 401, "the cookie is valid after revocation")


@attack("datasets at paths inside and outside, there or not", has_normal=False)
def outside_paths(context):
    daemon = context.daemon
    secret, whole, half = (f"{daemon.root}/{name}" for name in ("secret", "whole", "half"))
    os.mkdir(secret)
    right_idx(whole)
    right_idx(half)
    os.remove(f"{half}/t10k-labels-idx1-ubyte")
    for format in ("mnist-idx", "cifar10", "cifar100", "cifar100-coarse"):
        for here, missing in (("/etc", "/etd"), (secret, f"{daemon.root}/secreu"), ("/etc/passwd", "/etc/passwe"),
                              ("/root", "/rooz"), (whole, f"{daemon.root}/whols"),
                              (half, f"{daemon.root}/halg"), (f"{daemon.data}/../whole", f"{daemon.data}/../whols"),
                              (f"{daemon.data}/runs", f"{daemon.data}/runt")):
            for what, ask in {
                "GET": lambda path: daemon.ask("GET", f"/datasets/{format}:{path.replace('/', '%2F')}"),
                "POST": lambda path: daemon.ask(
                    "POST", "/jobs?dry_run=true",
                    body={"kind": "train", "spec": {"dataset": {"name": f"{format}:{path}"}}}),
            }.items():
                one, other = ask(here), ask(missing)
                texts = [answer.body.decode().replace(path.replace("/", "\\/"), "PATH").replace(path, "PATH")
                         for answer, path in ((one, here), (other, missing))]
                context.expect((one.status, texts[0]) == (other.status, texts[1]),
                               f"{what} tells whether {format}:{here} exists: {one} | {other}")
                context.expect(one.status in (403, 404, 422), f"{what} of {format}:{here}: {one.status}")


@attack("another user of the machine looks into the data folder", None)
def permissions(context):
    daemon = context.start(tokens=["normal"])
    daemon.finished_job()
    wide = []
    for folder, _, files in os.walk(daemon.data):
        for path in [folder, *(f"{folder}/{name}" for name in files)]:
            if os.stat(path).st_mode & 0o077:
                wide.append(f"{path.removeprefix(daemon.root)} {os.stat(path).st_mode & 0o777:o}")
    context.note(open_to_others=len(wide))
    context.expect(not wide, f"{len(wide)} files and folders are open to other users: {', '.join(wide[:4])}")
    other = Daemon(is_started=False)
    context.daemons.append(other)
    os.mkdir(other.data)
    os.chmod(other.data, 0o755)
    other.start()
    context.expect("755" in other.errors() or "permission" in other.errors().lower(),
                   "there is no warning about a data folder that is open to other users")


def stranger(path, seconds):
    """Takes the lock of a file as another user for a while; None if that user cannot open it."""
    code = ("import fcntl,sys,time; file=open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX|fcntl.LOCK_NB); "
            "print('held', flush=True); time.sleep(float(sys.argv[2]))")
    process = subprocess.Popen(
        ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "/usr/bin/env", "python3", "-c",
         code, path, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd="/")
    if process.stdout.readline().strip() == "held":
        return process
    process.wait()
    return None


@attack("another user of the machine holds the locks of the data folder and of a run", None)
def foreign_locks(context):
    if os.geteuid() != 0:
        raise Skip("needs another user (root)")
    # A data folder that others may enter: what is in it has to be safe all the same.
    daemon = Daemon(is_started=False)
    context.daemons.append(daemon)
    os.mkdir(daemon.data)
    os.chmod(daemon.data, 0o755)
    daemon.start()
    job, folder = daemon.held_job()
    daemon.kill()
    holders = [stranger(f"{folder}/lock", 30)]
    context.note(run_lock_held=holders[0] is not None)
    daemon.start()
    context.expect(daemon.wait_for(daemon.workers, 8), "a job has no worker while another user holds its lock")
    answer = daemon.ask("POST", f"/jobs/{job}/cancel", body={"mode": "now"})
    context.expect(answer.status in (200, 202) and daemon.wait_for(lambda: daemon.state(job) == "cancelled", 8),
                   f"a job cannot be cancelled while another user holds its lock: {answer}")
    daemon.kill()
    holders.append(stranger(f"{daemon.data}/lock", 30))
    context.note(data_lock_held=holders[1] is not None)
    try:
        daemon.start()
    except StartError as error:
        context.expect(False, f"the daemon cannot start while another user holds its lock: {error}")
    for holder in filter(None, holders):
        holder.kill()
        holder.wait()


@attack("secrets in the daemon's environment", None)
def worker_environment(context):
    daemon = context.start(environment={"CLOUD_SECRET_KEY": "hidden-7319", "LD_EXTRA_TOKEN": "x"})
    daemon.held_job()
    for worker in daemon.workers():
        with open(f"/proc/{worker}/environ", "rb") as file:
            variables = [text.split(b"=")[0].decode() for text in file.read().split(b"\0") if text]
        context.note(variables=len(variables))
        for name in ("CLOUD_SECRET_KEY", "LD_EXTRA_TOKEN"):
            context.expect(name not in variables, f"a worker has {name} of the daemon's environment")


@attack("a key that other users can read", None)
def readable_key(context):
    daemon = with_certificate(bits=2048, mode=0o644)
    context.daemons.append(daemon)
    daemon.start()
    lines = [line for line in daemon.errors().splitlines() if "warn" in line and "key" in line]
    context.expect(lines, "there is no warning about a key that other users can read")


@attack("a certificate that is a FIFO, at the start and at SIGHUP", None)
def certificate_fifo(context):
    daemon = with_certificate(bits=2048)
    context.daemons.append(daemon)
    daemon.start()
    certificate = f"{daemon.root}/cert.pem"
    os.rename(certificate, f"{certificate}.real")
    os.mkfifo(certificate)
    daemon.process.send_signal(1)
    time.sleep(1)
    context.expect(daemon.ask("GET", "/healthz").status == 200, "after SIGHUP nothing answers")
    context.expect(daemon.terminate(15) is not None, "it does not stop after SIGHUP with a FIFO as its certificate")
    other = with_certificate(bits=2048)
    context.daemons.append(other)
    os.remove(f"{other.root}/key.pem")
    os.mkfifo(f"{other.root}/key.pem")
    try:
        other.start(timeout=8)
        context.expect(False, "it starts with a FIFO as its key")
    except StartError as error:
        context.expect("exit code" in str(error), f"a FIFO as its key: {error}")
