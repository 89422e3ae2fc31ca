"""The daemon under attack, what it uses, and a normal client beside the attack."""

import json
import multiprocessing
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import wire

ROOT = os.path.abspath(f"{os.path.dirname(os.path.abspath(__file__))}/../..")
# A training that lasts longer than any attack.
ENDLESS = {"kind": "train", "spec": {"preset": "small", "dataset": {"name": "synthetic"}, "epochs": 100_000}}
# A training that has ended after some seconds, with a checkpoint.
SHORT = {"kind": "train", "spec": {"preset": "small", "dataset": {"name": "synthetic", "limit": 32}, "batch_size": 16,
                                   "max_steps": 2, "encoder": {"width": 16}, "projector": {"widths": [16, 16]}}}


class StartError(Exception):
    """The daemon did not start; its errors."""


class Daemon:
    """A daemon on a free port of the loopback address, in a folder of its own.

    The folder `root` holds `data`, and is open to other users of the machine, so that only what the daemon itself
    does keeps them out of `data`.
    """

    binary = f"{ROOT}/.build/release/vicregd"
    known_flags = ""

    def __init__(self, *flags, tokens=(), environment=None, is_started=True):
        self.root = tempfile.mkdtemp(prefix="abuse-")
        os.chmod(self.root, 0o755)
        self.data = f"{self.root}/data"
        self.flags = list(flags)
        # Swift's backtraces take seconds, in which a daemon that has ended seems to hang.
        self.environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no", **(environment or {})}
        self.process = None
        self.secrets = {name: self.token("create", "--name", name).stdout.strip() for name in tokens}
        if is_started:
            self.start()

    @classmethod
    def use(cls, binary):
        """Chooses the binary; what it cannot do yet is left out of flags by `knows`."""
        cls.binary = os.path.abspath(binary)
        cls.known_flags = subprocess.run([cls.binary, "serve", "--help"], capture_output=True, text=True).stdout

    @classmethod
    def knows(cls, flag):
        return re.search(rf"{flag}\b", cls.known_flags) is not None

    @classmethod
    def dataset_root(cls, folder):
        """The flags that let datasets lie in a folder."""
        return ["--dataset-root", folder] if cls.knows("--dataset-root") else []

    def start(self, timeout=15):
        command = [self.binary, "serve", "--port", "0", "--data", self.data, "--migrations", f"{ROOT}/migrations"]
        if "--public" not in self.flags:
            command += ["--public", f"{ROOT}/Public"]
        with open(f"{self.root}/err", "a") as errors:
            self.process = subprocess.Popen(
                command + self.flags, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL, text=True,
                env=self.environment, umask=0o022)
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            self.kill()
            raise StartError(f"it did not listen within {timeout} s")
        line = self.process.stdout.readline()
        if not line:
            raise StartError(self.ending())
        self.url = json.loads(line)["url"]
        self.port = int(self.url.rsplit(":", 1)[1])
        self.is_secure = self.url.startswith("https")

    def errors(self):
        with open(f"{self.root}/err", errors="replace") as file:
            return file.read()

    def ending(self):
        """How the process ended, and what it said last."""
        code = self.process.wait(10)
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        told = [line for line in self.errors().splitlines() if "Fatal error" in line or line.startswith("vicregd:")]
        return f"{how}: {told[-1][-200:]}" if told else how

    def token(self, *arguments):
        return subprocess.run(
            [self.binary, "token", *arguments, "--data", self.data], capture_output=True, text=True, timeout=20)

    @property
    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    # What it uses.

    def status(self, key):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"{key}:\s+(\d+)", file.read())[1]) / 1024

    def resident(self):
        return self.status("VmRSS")

    def peak(self):
        return self.status("VmHWM")

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def cpu(self):
        """Seconds, of all threads, by the clock of the process (clock_getcpuclockid)."""
        return time.clock_gettime(~self.process.pid << 3 | 2) if self.is_alive else float("nan")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def settle(self, timeout):
        """Waits until it does nothing; how many seconds that took."""
        started = time.monotonic()
        before = self.cpu()
        while self.is_alive and time.monotonic() - started < timeout:
            time.sleep(0.25)
            now = self.cpu()
            if now - before < 0.04:
                break
            before = now
        return time.monotonic() - started

    # Requests.

    def ask(self, method, target, *arguments, token=None, **options):
        fields = list(arguments[0]) if arguments else []
        secret = token or next(iter(self.secrets.values()), None)
        if secret:
            fields.append(("Authorization", f"Bearer {secret}"))
        return wire.ask(self.port, method, target, fields, tls=self.is_secure, **options)

    def submit(self, job):
        answer = self.ask("POST", "/jobs", body=job)
        if answer.status != 201:
            raise AssertionError(f"POST /jobs: {answer}")
        return answer.json["id"]

    def state(self, job):
        return self.ask("GET", f"/jobs/{job}").json["state"]

    def wait_for(self, condition, timeout=15):
        """Whether the condition comes true in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.05)
        return False

    # Jobs.

    def workers(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            children = file.read().split()
        # A thread that is not the first one may have started the process.
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/children") as file:
                children += file.read().split()
        return sorted({int(child) for child in children})

    def held_job(self, job=None):
        """A job that runs and whose worker is stopped, so that it uses no CPU; its id and its folder."""
        job = self.submit(job or ENDLESS)
        folder = f"{self.data}/runs/{job}"
        assert self.wait_for(lambda: self.workers() and os.path.exists(f"{folder}/events.jsonl")
                             and os.path.getsize(f"{folder}/events.jsonl") > 0, 30), "the job did not start"
        for worker in self.workers():
            os.kill(worker, signal.SIGSTOP)
        return job, folder

    def finished_job(self):
        job = self.submit(SHORT)
        assert self.wait_for(lambda: self.state(job) in ("succeeded", "failed"), 30), "the job did not end"
        assert self.state(job) == "succeeded", self.ask("GET", f"/jobs/{job}").json.get("message")
        return job, f"{self.data}/runs/{job}"

    def fill(self, count):
        """Jobs that wait behind one that is held."""
        self.held_job()
        for _ in range(count // 500):
            answer = self.ask("POST", "/jobs", body={"jobs": [ENDLESS] * 500}, timeout=20)
            assert answer.status == 201, answer

    # Its end.

    def kill(self):
        """Ends the daemon, and its workers, without warning."""
        workers = self.workers() if self.is_alive else []
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        for worker in workers:
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def kill_alone(self):
        """Ends the daemon and leaves its workers; their ids."""
        workers = self.workers()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        return workers

    def terminate(self, timeout):
        """Asks it to stop; how many seconds that took, or None if it had to be killed."""
        started = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
        self.process.stdout.close()
        return time.monotonic() - started

    def remove(self):
        if self.is_alive:
            self.kill()
        # A daemon that died of an attack left its workers.
        for worker in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{worker}/cmdline", "rb") as file:
                    is_own = f"work\0{self.data}/runs/".encode() in file.read()
                if is_own:
                    os.kill(int(worker), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass
        shutil.rmtree(self.root, ignore_errors=True)


class NormalClient:
    """Asks every 20 ms, on a new connection, for the list of jobs or for the daemon's health, in its own process.

    By TLS it keeps one connection, as browsers do: what is measured is how long others hold the loop.
    """

    def __init__(self, daemon):
        self.port, self.is_secure = daemon.port, daemon.is_secure
        self.secret = next(iter(daemon.secrets.values()), None)
        self.end, other = multiprocessing.Pipe()
        self.count = multiprocessing.Value("q", 0)
        self.process = multiprocessing.Process(target=self._run, args=(other,), daemon=True)
        self.process.start()

    def _run(self, end):
        try:
            # The client itself must not wait for a processor.
            os.nice(-15)
        except OSError:
            pass
        times, errors, connection = [], [], None
        fields = [("Authorization", f"Bearer {self.secret}")] if self.secret else []
        targets = ["/jobs?limit=10", "/healthz"]
        while not end.poll(0.02):
            started = time.monotonic()
            self.count.value += 1
            target = targets[self.count.value % 2]
            try:
                if connection is None:
                    connection = wire.connect(self.port, 5, "127.0.0.1")
                    if self.is_secure:
                        connection = wire.secured(connection)
                connection.sendall(wire.request_bytes("GET", target, fields))
                answer = wire.read_answer(connection)
                if answer.status != 200:
                    errors.append(f"{target}: {answer}")
                times.append(time.monotonic() - started)
            except (OSError, ValueError) as error:
                errors.append(f"{target}: {type(error).__name__} {error}")
                times.append(time.monotonic() - started)
                connection = None
            if connection is not None and not self.is_secure:
                connection.close()
                connection = None
        end.send((times, errors))

    def stop(self, answers_min, seconds_max):
        """Seconds of each answer, sorted, and what went wrong; goes on for a while where there are few answers."""
        end = time.monotonic() + seconds_max
        while self.count.value < answers_min and time.monotonic() < end:
            time.sleep(0.05)
        self.end.send("stop")
        times, errors = self.end.recv()
        self.process.join()
        return sorted(times), errors
