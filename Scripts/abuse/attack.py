"""What an attack is, how it is run, and how it is judged."""

import math
import time
import traceback
from dataclasses import dataclass, field

import wire
from daemon import Daemon, NormalClient, StartError

# The promises of docs/security.md.
NORMAL_P99_MS = 50
# The longest of its answers, which the p99 of many quick ones does not show.
NORMAL_WORST_MS = 500
PEAK_MB = 150
# Memory that may stay in use afterwards, more than before: caches that were cold.
KEPT_MB = 30
SETTLE_SECONDS = 10
# A normal client has at least as many answers, or has asked this long after the attack.
NORMAL_ANSWERS, NORMAL_SECONDS = 200, 5
CPU_RATIO = 10


class Skip(Exception):
    """The attack cannot be made here, for this reason."""


@dataclass
class Attack:
    name: str
    what: str
    run: callable
    # Makes the daemon; None: the attack makes its own, and has no normal client.
    daemon: callable
    # Makes what must be there before the attack is measured; what it returns is the second argument of `run`.
    prepare: callable = None
    # Whether the CPU time for each byte that was sent is held against that of a plain request.
    checks_cpu: bool = False
    # Whether a normal client runs beside it.
    has_normal: bool = True


ATTACKS = []


def attack(what, daemon=Daemon, **options):
    """Adds the function below to the suite, under its name; its first sentence says what is sent."""

    def add(function):
        ATTACKS.append(Attack(function.__name__.replace("_", "-"), what, function, daemon, **options))
        return function

    return add


@dataclass
class Result:
    name: str
    failures: list = field(default_factory=list)
    figures: dict = field(default_factory=dict)
    skipped: str = ""


class Context:
    """What an attack is given: the daemon, a count of what it sends, and a place for what is wrong."""

    # Whether nothing but the loopback address exists here.
    is_isolated = False

    def __init__(self, daemon, result):
        self.daemon, self.result = daemon, result
        self.bytes_sent = 0
        self.daemons = [daemon] if daemon else []

    def start(self, *flags, **options):
        """A further daemon, removed at the end."""
        daemon = Daemon(*flags, **options)
        self.daemons.append(daemon)
        return daemon

    def expect(self, condition, text):
        """Notes what is wrong unless the condition holds; each text once, ten at most."""
        if not condition and text not in self.result.failures and len(self.result.failures) < 10:
            self.result.failures.append(text)
        return condition

    def note(self, **figures):
        self.result.figures.update(figures)

    def sent(self, data):
        self.bytes_sent += len(data)
        return data


def plain_cost(daemon, count=200):
    """CPU seconds that a plain request takes for each of its bytes, and for itself."""
    request = wire.request_bytes("GET", "/healthz", [("Connection", "close")])
    daemon.settle(3)
    before = daemon.cpu()
    for _ in range(count):
        with wire.connect(daemon.port) as connection:
            connection.sendall(request)
            wire.read_answer(connection)
    each = (daemon.cpu() - before) / count
    return each / len(request), each


def calm_p99_ms():
    """What the normal client sees of a daemon that nobody attacks: how busy this machine is by itself."""
    daemon = Daemon()
    try:
        normal = NormalClient(daemon)
        times, _ = normal.stop(100, NORMAL_SECONDS)
        return round(times[math.ceil(len(times) * 0.99) - 1] * 1000, 1)
    finally:
        daemon.remove()


def run(attack):
    result = Result(attack.name)
    context = Context(None, result)
    started = time.monotonic()
    try:
        if attack.daemon is None:
            attack.run(context)
        else:
            context = Context(attack.daemon(), result)
            measure(attack, context)
    except Skip as reason:
        result.skipped = str(reason)
    except StartError as error:
        result.failures.append(f"the daemon does not start: {error}")
    except Exception as error:
        note_error(context, error)
    finally:
        for daemon in context.daemons:
            daemon.remove()
    result.figures["seconds"] = round(time.monotonic() - started, 1)
    return result


def note_error(context, error):
    place = traceback.extract_tb(error.__traceback__)[-1]
    dead = context.daemon is not None and not context.daemon.is_alive
    context.result.failures.append(
        f"{'the daemon died: ' if dead else ''}{type(error).__name__}: {error} ({place.name}, line {place.lineno})")


def measure(attack, context):
    daemon = context.daemon
    prepared = attack.prepare(context) if attack.prepare else None
    cost, each = plain_cost(daemon) if attack.checks_cpu and not daemon.is_secure else (0, 0)
    daemon.settle(3)
    idle, before = daemon.resident(), daemon.cpu()
    daemon.forget_peak()
    normal = NormalClient(daemon) if attack.has_normal else None
    try:
        attack.run(*((context, prepared) if attack.prepare else (context,)))
    except Skip:
        raise
    except Exception as error:
        # What the daemon used, and what a normal client saw of it, is told all the same.
        note_error(context, error)
    finally:
        settled = daemon.settle(SETTLE_SECONDS)
        times, errors = normal.stop(NORMAL_ANSWERS, NORMAL_SECONDS) if normal else ([], [])
    judge_normal(context, times, errors)
    if not context.expect(daemon.is_alive, f"the daemon died: {'' if daemon.is_alive else daemon.ending()}"):
        return
    judge_use(context, idle, daemon.cpu() - before - each * len(times), cost if attack.checks_cpu else 0, settled)


def judge_normal(context, times, errors):
    if times:
        p99 = times[math.ceil(len(times) * 0.99) - 1] * 1000
        context.note(normal_p99_ms=round(p99, 1), normal_worst_ms=round(times[-1] * 1000, 1), answers=len(times))
        context.expect(p99 < NORMAL_P99_MS, f"a normal client's p99 is {p99:.0f} ms, must be < {NORMAL_P99_MS}")
        worst = times[-1] * 1000
        context.expect(worst < NORMAL_WORST_MS, f"a normal client waits {worst:.0f} ms, must be < {NORMAL_WORST_MS}")
    context.note(normal_errors=len(errors))
    context.expect(not errors, f"a normal client had {len(errors)} errors: {'; '.join(errors[:2])[:300]}")


def judge_use(context, idle, cpu, plain_cost, settled):
    daemon = context.daemon
    peak, kept = daemon.peak(), daemon.resident() - idle
    context.note(cpu_seconds=round(cpu, 2), peak_mb=round(peak), kept_mb=round(kept), settle_seconds=round(settled, 1))
    context.expect(peak < PEAK_MB, f"memory rose to {peak:.0f} MB, must be < {PEAK_MB}")
    context.expect(kept < KEPT_MB, f"{kept:.0f} MB more are in use afterwards, must be < {KEPT_MB}")
    context.expect(settled < SETTLE_SECONDS, f"the daemon is still at work {settled:.0f} s later")
    if plain_cost and context.bytes_sent:
        ratio = cpu / context.bytes_sent / plain_cost
        context.note(cpu_ratio=round(ratio, 1))
        context.expect(ratio < CPU_RATIO, f"a byte takes {ratio:.0f} times the CPU of a plain request's, "
                                          f"must be < {CPU_RATIO}")
