"""What a page of another site may do in the browser of a person, and what every answer says to browsers."""

import wire
from attack import attack
from daemon import ENDLESS, Daemon

FIELDS = {
    "content-security-policy": lambda value: "default-src 'none'" in value and "frame-ancestors 'none'" in value,
    "x-content-type-options": lambda value: value == "nosniff",
    "x-frame-options": lambda value: value == "DENY",
    "referrer-policy": lambda value: value == "no-referrer",
    "cross-origin-resource-policy": lambda value: value == "same-origin",
}


def raw(daemon, data):
    with wire.connect(daemon.port, 5) as connection:
        connection.sendall(data)
        return wire.read_answer(connection)


def statuses(daemon, job):
    """An answer of each status that can be had by a request, with what was asked."""
    json = [("Content-Type", "application/json")]
    yield 400, "a broken request line", raw(daemon, b"GET\r\n\r\n")
    yield 400, "a repeated Host", raw(daemon, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    yield 400, "broken JSON", daemon.ask("POST", "/jobs", json, body=b"{")
    yield 403, "a foreign origin", daemon.ask("POST", "/jobs", [*json, ("Origin", "http://evil.example")], body=b"{}")
    yield 404, "an unknown path", daemon.ask("GET", "/nothing")
    yield 404, "an unknown job", daemon.ask("GET", "/jobs/nothing")
    yield 405, "an unknown method", daemon.ask("PUT", "/jobs", json, body=b"{}")
    yield 409, "the removal of a job that runs", daemon.ask("DELETE", f"/jobs/{job}")
    yield 412, "an old version", daemon.ask("PATCH", f"/jobs/{job}", [*json, ("If-Match", '"0"')], body=b'{"name":"a"}')
    yield 413, "a body over its limit", raw(daemon, b"POST /jobs HTTP/1.1\r\nHost: localhost\r\n"
                                            b"Content-Type: application/json\r\nContent-Length: 999999999\r\n\r\n")
    yield 414, "a long target", daemon.ask("GET", "/" + "a" * 20_000)
    yield 415, "an unknown type", daemon.ask("POST", "/jobs", [("Content-Type", "image/png")], body=b"{}")
    yield 416, "a range behind the end", daemon.ask("GET", "/", [("Range", "bytes=99999999-")])
    yield 417, "an unknown expectation", daemon.ask("GET", "/jobs", [("Expect", "nothing")])
    yield 421, "a foreign host", daemon.ask("GET", "/jobs", host="evil.example")
    yield 422, "a wrong job", daemon.ask("POST", "/jobs", json, body=b'{"kind":"nothing"}')
    yield 431, "long fields", daemon.ask("GET", "/jobs", [("X-Long", "a" * 40_000)])
    yield 501, "an unknown coding", raw(daemon, b"POST /jobs HTTP/1.1\r\nHost: localhost\r\n"
                                           b"Transfer-Encoding: odd\r\n\r\n")
    yield 505, "an unknown version", raw(daemon, b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n")


def judge(context, what, answer):
    for name, is_right in FIELDS.items():
        value = answer.fields.get(name)
        context.expect(value is not None and is_right(value), f"{what} ({answer.status}): {name} is {value}")
    if answer.fields.get("content-type") == "application/problem+json":
        context.expect(answer.fields.get("cache-control") == "no-store",
                       f"{what} ({answer.status}): Cache-Control of a problem is {answer.fields.get('cache-control')}")


@attack("one request for each status that refuses", None)
def security_fields(context):
    daemon = context.start("--header-seconds", "1", "--connections-max", "40")
    job, _ = daemon.held_job()
    seen = set()
    for status, what, answer in statuses(daemon, job):
        # Some servers see a different mistake first; that it is refused, and how, is what counts.
        context.expect(400 <= answer.status < 600, f"{what}: {answer.status}, must be {status}")
        seen.add(answer.status)
        judge(context, what, answer)
    with wire.connect(daemon.port, 5) as connection:
        connection.sendall(b"GET / HT")
        judge(context, "a header that does not end", wire.read_answer(connection))
    connections = [wire.connect(daemon.port, 3) for _ in range(60)]
    try:
        judge(context, "a connection over the limit", wire.read_answer(connections[-1]))
    except OSError as error:
        context.expect(False, f"a connection over the limit gets no answer: {error}")
    for connection in connections:
        connection.close()
    closed = context.start(tokens=["normal"])
    judge(context, "no token", wire.ask(closed.port, "GET", "/jobs"))
    judge(context, "a wrong token", closed.ask("GET", "/jobs", token="vicregd_wrong"))
    reader = closed.token("create", "--name", "reader", "--role", "read").stdout.strip()
    answer = closed.ask("POST", "/jobs", token=reader, body=ENDLESS)
    context.expect(answer.status == 403, f"a read token queues a job: {answer.status}")
    judge(context, "a read token that writes", answer)
    context.note(statuses=sorted(seen))


@attack("a page of another site embeds answers as images, scripts and frames", has_normal=False)
def cross_site_embeds(context):
    daemon = context.daemon
    for target in ("/jobs", "/jobs?limit=500", "/datasets", "/datasets/synthetic", "/healthz", "/readyz", "/version",
                   "/openapi.json", "/events", "/session", "/"):
        for mode, destination in (("no-cors", "image"), ("no-cors", "script"), ("cors", "empty"),
                                  ("navigate", "object")):
            fields = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", destination)]
            try:
                status = daemon.ask("GET", target, fields, timeout=1).status
            except OSError:
                # A stream that has begun does not end.
                status = 200
            context.expect(status == 403, f"GET {target} as {destination} of another site: {status}, must be 403")
    for site, mode, destination in (("cross-site", "navigate", "document"), ("none", "navigate", "document"),
                                    ("same-origin", "cors", "empty"), ("same-origin", "no-cors", "image")):
        answer = daemon.ask("GET", "/", [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode),
                                         ("Sec-Fetch-Dest", destination)])
        context.expect(answer.status == 200, f"GET / as {destination}, {site}: {answer.status}, must be 200")


@attack("a page of another site changes things, by every way that a browser has", has_normal=False)
def cross_site_changes(context):
    daemon = context.daemon
    body = b'{"kind":"train","spec":{"dataset":{"name":"synthetic"}}}'
    other_port = f"http://localhost:{daemon.port + 1}"
    for fields in ([("Origin", "http://evil.example")], [("Origin", "null")], [("Sec-Fetch-Site", "cross-site")],
                   [("Origin", other_port)], [("Origin", f"https://localhost:{daemon.port}")],
                   [("Origin", "http://localhost")], [("Sec-Fetch-Site", "same-site"), ("Origin", other_port)]):
        for type in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
            answer = daemon.ask("POST", "/jobs?dry_run=true", [("Content-Type", type), *fields], body=body,
                                host=f"localhost:{daemon.port}")
            context.expect(answer.status == 403, f"a POST with {dict(fields)}: {answer.status}, must be 403")
    answer = daemon.ask("POST", "/jobs?dry_run=true",
                        [("Content-Type", "application/json"), ("Origin", f"http://localhost:{daemon.port}")],
                        body=body, host=f"localhost:{daemon.port}")
    context.expect(answer.status in (200, 201), f"a POST of the own page: {answer}")
