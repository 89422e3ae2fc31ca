#!/usr/bin/env python3
"""The daemon's HTTP server beside Go's net/http, FastAPI and nginx, in the same run, on loopback.

    http_bench.py [--binary .build/release/vicregd] [--seconds 5] [--only NAME,…]

Each server is pinned to core 0 and wrk to core 1. Printed are requests a second, and requests a second of the server's
own processor time, which is what does not depend on how much the load generator leaves it. Needs wrk, go, nginx and
openssl; and FastAPI with uvicorn in the Python that runs it, or it is left out.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    for _ in range(300):
        assert process.poll() is None, "the server has ended"
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit("no answer on port %d" % port)


def family(pid):
    pids = [pid]
    for child in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split():
        pids += family(int(child))
    return pids


def cpu_seconds(pid):
    total = 0
    for one in family(pid):
        fields = open(f"/proc/{one}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_megabytes(pid):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{one}/status").read())[1]) for one in family(pid)) / 1024


class Servers:
    """Everything that is started, and stopped at the end."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, command, port, **variables):
        log = open(f"{self.folder}/log-{port}", "w")
        process = subprocess.Popen(
            ["taskset", "-c", "0"] + command, stdout=log, stderr=log, env=dict(os.environ, **variables))
        self.running.append(process)
        wait_for(port, process)
        return process

    def stop(self):
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        self.running = []


def wrk(url, pid, connections, seconds, script=None, headers=()):
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", script]
    before = cpu_seconds(pid)
    text = subprocess.run(command, capture_output=True, text=True).stdout
    used = cpu_seconds(pid) - before
    requests = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    p99 = re.search(r"99%\s+([\d.]+\w+)", text)[1]
    errors = re.findall(r"(Non-2xx.*|Socket errors.*)", text)
    return {"rate": rate, "per_cpu_second": requests / used if used else 0, "p99": p99, "errors": errors}


def show(name, who, result):
    figures = f"{result['rate']:>10.0f}/s {result['per_cpu_second']:>10.0f}/CPU-s  p99 {result['p99']:>9}"
    print(f"{name:<38}{who:<10}{figures}  {' '.join(result['errors'])}", flush=True)


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


def nginx(servers, folder, root, certificate):
    plain, secure = free_port(), free_port()
    open(f"{folder}/nginx.conf", "w").write(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; types {{ text/css css; }}
  ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]}; ssl_protocols TLSv1.2 TLSv1.3;
  server {{ listen 127.0.0.1:{plain}; root {root}; }}
  server {{ listen 127.0.0.1:{secure} ssl; root {root}; }} }}
""")
    process = servers.start(["nginx", "-c", f"{folder}/nginx.conf"], plain)
    return process.pid, plain, secure


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=f"{HERE}/../../.build/release/vicregd")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--only", default="idle,json,file,tls,handshake,post,busy")
    args = parser.parse_args()
    only = args.only.split(",")
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    servers = Servers(folder)
    try:
        run(args, only, folder, servers)
    finally:
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(args, only, folder, servers):
    root = f"{folder}/public"
    shutil.copytree(f"{HERE}/../../Public", root)
    open(f"{root}/sixteen.css", "wb").write(os.urandom(8192).hex().encode())
    certificate = (f"{folder}/cert.pem", f"{folder}/key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", certificate[1], "-out", certificate[0]], capture_output=True, check=True)

    def daemon(*flags):
        port = free_port()
        started = time.monotonic()
        process = servers.start(
            [args.binary, "serve", "--port", str(port), "--data", f"{folder}/data{port}", "--public", root,
             "--fashion-mnist", "/nowhere", "--connections-max", "16384", *flags], port)
        return process.pid, port, time.monotonic() - started

    pid, port, ready = daemon()
    base = f"http://127.0.0.1:{port}"
    if "idle" in only:
        before = cpu_seconds(pid)
        time.sleep(3)
        print(f"idle: ready in {ready * 1000:.0f} ms, {rss_megabytes(pid):.1f} MB, "
              f"{(cpu_seconds(pid) - before) / 3 * 100:.2f} % CPU", flush=True)
    job = post(f"{base}/jobs", {"kind": "train", "spec": {"preset": "small", "dataset": {"name": "synthetic"}}})
    urllib.request.urlopen(urllib.request.Request(f"{base}/jobs/{job['id']}/cancel", method="POST")).read()
    size = len(urllib.request.urlopen(f"{base}/jobs/{job['id']}").read())
    if "json" in only:
        peer = free_port()
        subprocess.run(["go", "build", "-o", f"{folder}/peer", f"{HERE}/peer.go"], check=True,
                       env=dict(os.environ, GO111MODULE="off"))
        peers = [("Go", peer, servers.start([f"{folder}/peer", str(peer), str(size)], peer).pid)]
        if subprocess.run([sys.executable, "-c", "import fastapi, uvicorn"], capture_output=True).returncode == 0:
            port = free_port()
            command = [sys.executable, "-m", "uvicorn", "peer:app", "--app-dir", HERE, "--port", str(port),
                       "--no-access-log"]
            peers.append(("FastAPI", port, servers.start(command, port, SIZE=str(size)).pid))
        for connections in (64, 1000):
            name = f"JSON of {size} bytes, {connections} connections"
            show(name, "vicregd", wrk(f"{base}/jobs/{job['id']}", pid, connections, args.seconds))
            for who, port, peer_pid in peers:
                show(name, who, wrk(f"http://127.0.0.1:{port}/", peer_pid, connections, args.seconds))
    if {"file", "tls", "handshake"} & set(only):
        other, plain, secure = nginx(servers, folder, root, certificate)
        tls_pid, tls_port, _ = daemon("--tls-cert", certificate[0], "--tls-key", certificate[1])
        if "file" in only:
            show("file of 16 KB, 64 connections", "vicregd", wrk(f"{base}/sixteen.css", pid, 64, args.seconds))
            show("file of 16 KB, 64 connections", "nginx",
                 wrk(f"http://127.0.0.1:{plain}/sixteen.css", other, 64, args.seconds))
        for name, headers in (("tls", ()), ("handshake", ("Connection: close",))):
            if name in only:
                show(f"{name}, small file, 64 connections", "vicregd",
                     wrk(f"https://localhost:{tls_port}/favicon.svg", tls_pid, 64, args.seconds, headers=headers))
                show(f"{name}, small file, 64 connections", "nginx",
                     wrk(f"https://localhost:{secure}/favicon.svg", other, 64, args.seconds, headers=headers))
    if "post" in only:
        training, worker = occupied(base, pid)
        script = f"{folder}/post.lua"
        open(script, "w").write(
            'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
            'wrk.body = \'{"kind": "evaluate", "spec": {"checkpoint": {"job": "%s"}}}\'\n' % training)
        show("POST /jobs, durable, 64", "vicregd", wrk(f"{base}/jobs", pid, 64, args.seconds, script))
        os.kill(worker, signal.SIGCONT)
    if "busy" in only:
        servers.stop()
        busy(args.binary, folder, args.seconds)


def busy(binary, folder, seconds):
    """How long `GET /jobs` takes 100 times a second, while nothing runs and while a training uses every core."""
    port = free_port()
    process = subprocess.Popen(
        [binary, "serve", "--port", str(port), "--data", f"{folder}/busy"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    wait_for(port, process)
    base = f"http://127.0.0.1:{port}"
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def measure(name):
        times = []
        start = time.monotonic()
        for index in range(100 * seconds):
            time.sleep(max(0, start + index / 100 - time.monotonic()))
            asked = time.monotonic()
            connection.request("GET", "/jobs")
            connection.getresponse().read()
            times.append((time.monotonic() - asked) * 1000)
        times.sort()
        print(f"GET /jobs, {name}: median {times[len(times) // 2]:.2f} ms, "
              f"p99 {times[int(len(times) * 0.99)]:.2f} ms, longest {times[-1]:.1f} ms", flush=True)

    try:
        _, worker = occupied(base, process.pid)
        measure("idle")
        os.kill(worker, signal.SIGCONT)
        time.sleep(2)
        measure("beside a training on every core")
    finally:
        process.terminate()
        process.wait(30)


def occupied(base, pid):
    """A training whose worker stands still, so that what waits for it is only stored; and the worker."""
    job = post(f"{base}/jobs", {"kind": "train", "spec": {"preset": "small", "dataset": {"name": "synthetic"}}})["id"]
    while len(family(pid)) < 2:
        time.sleep(0.02)
    worker = family(pid)[1]
    os.kill(worker, signal.SIGSTOP)
    return job, worker


if __name__ == "__main__":
    main()
