#!/usr/bin/env python3
"""Attacks on a daemon, each beside a normal client, each with a verdict; fails if one is not withstood.

    Scripts/abuse/run.py [--binary .build/release/vicregd] [--only NAMES] [--list] [--json]

Needs Linux, Python 3.11 and openssl. As root it runs in a network namespace of its own, in which nothing but the
loopback address exists; otherwise the attacks that need one, or another user, are skipped. Every attack takes some
20 seconds at most. docs/security.md says what is promised.
"""

import argparse
import ctypes
import dataclasses
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import sys

import attack
from daemon import ROOT, Daemon

CLONE_NEWNET = 0x4000_0000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def isolate():
    """Leaves the network behind, but for a loopback interface; whether that was possible."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, SIOCGIFFLAGS, name))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=f"{ROOT}/.build/release/vicregd")
    parser.add_argument("--only", help="names, separated by commas")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--json", action="store_true", help="one JSON line for each attack")
    arguments = parser.parse_args()

    import access_attacks
    import browser_attacks
    import file_attacks
    import import_attacks
    import load_attacks
    import number_attacks
    import text_attacks

    if arguments.list:
        for each in attack.ATTACKS:
            print(f"{each.name:24} {each.what}")
        return 0
    names = {each.name for each in attack.ATTACKS}
    only = set(arguments.only.split(",")) if arguments.only else names
    if only - names:
        parser.error(f"there is no attack {', '.join(sorted(only - names))}; --list prints them")
    attack.Context.is_isolated = isolate()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    Daemon.use(arguments.binary)

    # So that the daemons are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Beside other work on the same processors the times below say little.
    calm = attack.calm_p99_ms()
    print(json.dumps({"calm_p99_ms": calm}) if arguments.json else f"without an attack: p99 {calm} ms", flush=True)
    failed = []
    for each in attack.ATTACKS:
        if each.name not in only:
            continue
        result = attack.run(each)
        if result.failures:
            failed.append(each.name)
        if arguments.json:
            print(json.dumps(dataclasses.asdict(result)), flush=True)
        else:
            verdict = f"skipped: {result.skipped}" if result.skipped else "FAILS" if result.failures else "holds"
            figures = ", ".join(f"{key} {value}" for key, value in result.figures.items())
            print(f"{each.name}: {verdict} ({figures})", flush=True)
            for failure in result.failures:
                print(f"    {failure}", flush=True)
    if not arguments.json:
        print(f"{len(failed)} of {len(only)} attacks are not withstood" + (f": {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
