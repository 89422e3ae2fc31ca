"""Text whose comparison is expensive, text that people must not see, and answers larger than their requests."""

import json
import time

from attack import attack

# Two combining marks in the order that normalisation has to change, 4 bytes. A run of them is one character.
MARKS = "\u0301\u0316"
FIELDS = [
    "Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Type", "Cookie", "Date",
    "Expect", "Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
    "Keep-Alive", "Last-Event-ID", "Origin", "Prefer", "Range", "Referer", "Sec-Fetch-Dest", "Sec-Fetch-Mode",
    "Sec-Fetch-Site", "TE", "Traceparent", "Transfer-Encoding", "Upgrade", "User-Agent", "X-Forwarded-For",
    "X-Request-Id", "X-Anything",
]
# What one answer may take, however short the comparison: below that a ratio says nothing.
FLOOR_SECONDS = 0.001
RATIO_MAX = 10


def compare(context, what, ask, count=3):
    """Holds the CPU time with marks against that with as many bytes of letters."""
    daemon = context.daemon
    times = []
    for text in (MARKS, "abcd"):
        before = daemon.cpu()
        started = time.monotonic()
        for _ in range(count):
            try:
                ask(text)
            except OSError:
                # A request that cannot be read may be closed on; the time is what counts here.
                pass
            if not context.expect(daemon.is_alive, f"{what}: the daemon died"):
                raise AssertionError(f"{what}: the daemon died")
            if time.monotonic() - started > 3:
                break
        times.append(daemon.cpu() - before)
    marks, letters = times
    ratio = marks / max(letters, FLOOR_SECONDS * count)
    worst = context.result.figures.get("worst_ratio", (0, ""))
    context.note(worst_ratio=max(worst, (round(ratio, 1), what)))
    context.expect(ratio < RATIO_MAX, f"{what}: marks take {ratio:.0f} times as long as letters ({marks:.3f} s)")


@attack("15 KB of combining marks in every header field, of a list, a page and a new job")
def marks_in_fields(context):
    end = time.monotonic() + 15
    body = b'{"kind":"train"}'
    for name in FIELDS:
        for method, target in (("GET", "/jobs"), ("GET", "/"), ("POST", "/jobs?dry_run=true")):
            for shape in ("{}", 'a={}, "b"; c'):
                if time.monotonic() > end:
                    context.expect(False, f"there was no time left for {name}")
                    return
                compare(context, f"{method} {target}, {name}: {shape.format('…')}", lambda text: context.daemon.ask(
                    method, target, [(name, shape.format(text * 3_700))], body=body if method == "POST" else None,
                    timeout=3), count=2)


@attack("combining marks as the name of a header field, in the path and in the query")
def marks_in_targets(context):
    daemon = context.daemon

    def encoded(text, count):
        return "".join(f"%{byte:02X}" for byte in (text * count).encode())

    compare(context, "a field's name", lambda text: daemon.ask("GET", "/jobs", [(text * 3_700, "1")], timeout=3))
    for path in ("/{}", "/jobs/{}", "/jobs/{}/metrics", "/datasets/{}", "/datasets/synthetic:{}",
                 "/datasets/mnist-idx:/{}", "/vendor/dygraphs/{}", "/jobs?{}=1", "/jobs?label={}", "/jobs?state={}",
                 "/jobs?kind={}", "/jobs?cursor={}", "/jobs?limit={}", "/jobs?sort={}", "/jobs?q={}",
                 "/events?after={}",
                 "/jobs?label=a={}", "/jobs?{}&{}x"):
        compare(context, path, lambda text: daemon.ask("GET", path.replace("{}", encoded(text, 300)), timeout=3))


def bodies(text):
    """JSON bodies with a text in every kind of place."""
    dataset = {"name": "synthetic"}
    yield "a key", {text: 1}
    yield "a key of a spec", {"kind": "train", "spec": {text: 1}}
    yield "a key of an optimizer", {"kind": "train", "spec": {"optimizer": {text: 1}}}
    yield "keys that differ in their end", {f"{text}{index}": 1 for index in range(4)}
    yield "a name", {"kind": "train", "name": text, "spec": {"dataset": dataset}}
    yield "notes", {"kind": "train", "notes": text, "spec": {"dataset": dataset}}
    yield "a label's key", {"kind": "train", "labels": {text: "a"}}
    yield "labels' keys", {"kind": "train", "labels": {f"{text}{index}": "a" for index in range(4)}}
    yield "a label's value", {"kind": "train", "labels": {"a": text}}
    yield "a kind", {"kind": text}
    yield "a preset", {"kind": "train", "spec": {"preset": text}}
    yield "an arch", {"kind": "train", "spec": {"encoder": {"arch": text}}}
    yield "a dataset", {"kind": "train", "spec": {"dataset": {"name": text}}}
    yield "a dataset's format", {"kind": "train", "spec": {"dataset": {"name": f"mnist-idx:/{text}"}}}
    yield "a checkpoint's job", {"kind": "evaluate", "spec": {"checkpoint": {"job": text}}}
    yield "a checkpoint's which", {"kind": "evaluate", "spec": {"checkpoint": {"job": "a", "which": text}}}
    yield "needs", {"kind": "train", "needs": [text, text + "x"]}
    yield "refs", {"jobs": [{"kind": "train", "ref": text}, {"kind": "train", "ref": text + "x"}]}
    yield "a policy", {"kind": "train", "on_dependency_failure": text}


@attack("JSON with 12 KB of combining marks in every kind of key and value")
def marks_in_json(context):
    marks, letters = (list(bodies(text * 3_000)) for text in (MARKS, "abcd"))
    end = time.monotonic() + 15
    for (what, body), (_, plain) in zip(marks, letters):
        if time.monotonic() > end:
            context.expect(False, f"there was no time left for {what}")
            return
        # Without escapes, so that bytes and characters are those above.
        texts = {MARKS: json.dumps(body, ensure_ascii=False).encode(), "abcd": json.dumps(plain).encode()}
        for target in ("/jobs?dry_run=true",):
            compare(context, f"JSON, {what}", lambda text: context.daemon.ask(
                "POST", target, [("Content-Type", "application/json")], body=texts[text], timeout=3), count=1)


@attack("keys that look the same and differ in their bytes (NFC and NFD)", has_normal=False)
def lookalikes(context):
    body = '{"kind":"train","labels":{"\u00e9":"composed","e\u0301":"decomposed"}}'.encode()
    answer = context.daemon.ask("POST", "/jobs?dry_run=true", [("Content-Type", "application/json")], body=body)
    context.expect(answer.status in (200, 201) and len(answer.json["labels"]) == 2,
                   f"two labels that differ in their bytes: {answer}")


def judge_size(context, what, body, target="/jobs", method="POST", sizes=(65_536,)):
    before = context.daemon.cpu()
    answer = context.daemon.ask(method, target, [("Content-Type", "application/json")] if body else [], body=body,
                                timeout=15)
    cpu = context.daemon.cpu() - before
    context.note(**{f"{what}_answer_bytes": answer.count, f"{what}_cpu_ms": round(cpu * 1000)})
    context.expect(400 <= answer.status < 500, f"{what}: {answer}")
    context.expect(answer.count <= sizes[0], f"{what}: the answer has {answer.count} bytes, must be ≤ {sizes[0]}")
    context.expect(cpu < 0.5, f"{what}: the answer takes {cpu:.1f} s of CPU, must be < 0.5")
    return answer


@attack("1.09 MB of unknown keys in one object, and in many objects")
def unknown_keys(context):
    keys = {f"key{index:07}": 1 for index in range(68_000)}
    judge_size(context, "keys", json.dumps(keys, separators=(",", ":")).encode())
    judge_size(context, "spec_keys", json.dumps({"kind": "train", "spec": keys}).encode())
    judge_size(context, "labels", json.dumps({"kind": "train", "labels": {key: "a" for key in keys}}).encode())
    judge_size(context, "objects", json.dumps(
        {"jobs": [{"kind": "train", "spec": {f"k{index}": 1 for index in range(90)}} for _ in range(1_000)]}).encode())
    judge_size(context, "long_key", json.dumps({"k" * 1_000_000: 1}).encode())
    judge_size(context, "long_value", json.dumps({"kind": "v" * 1_000_000}).encode())
    judge_size(context, "deep", b'{"kind":' + b"[" * 60 + b"1" + b"]" * 60 + b"}")


@attack("1,000 wrong jobs in one request")
def wrong_jobs(context):
    job = {"kind": "train", "name": "", "priority": 101, "spec": {"batch_size": 0, "epochs": 0, "seed": -1, "loss": {}}}
    judge_size(context, "batch", json.dumps({"jobs": [job] * 1_000}).encode())
    needs = [{"kind": "train", "ref": f"r{index}", "needs": [f"x{other}" for other in range(100)]}
             for index in range(900)]
    judge_size(context, "needs", json.dumps({"jobs": needs}).encode())


@attack("a query of thousands of unknown parameters")
def unknown_parameters(context):
    judge_size(context, "query", None, "/jobs?" + "&".join(f"a{index}" for index in range(1_200)), "GET", (16_384,))
    judge_size(context, "pairs", None, "/jobs?" + "&".join("a=b" for _ in range(2_000)), "GET", (16_384,))
    judge_size(context, "states", None, "/jobs?" + "&".join("state=x" for _ in range(1_000)), "GET", (16_384,))
    judge_size(context, "labels", None, "/jobs?" + "&".join("label=x" for _ in range(1_000)), "GET", (16_384,))


UNSEEN = {
    "U+0085": "\u0085", "U+009B": "\u009b", "U+0080": "\u0080", "U+001B": "\u001b", "U+007F": "\u007f",
    "U+202E": "\u202e", "U+2066": "\u2066", "U+061C": "\u061c", "U+200E": "\u200e",
    "U+2028": "\u2028", "U+FEFF": "\ufeff",
}


@attack("control and bidi characters in names, labels and notes", has_normal=False)
def control_characters(context):
    for name, character in UNSEEN.items():
        text = f"a{character}b"
        for what, body in {
            "name": {"name": text}, "notes": {"notes": text}, "label value": {"labels": {"a": text}},
            "label key": {"labels": {text: "a"}},
        }.items():
            answer = context.daemon.ask("POST", "/jobs?dry_run=true", body={"kind": "train", **body})
            context.expect(answer.status == 422, f"{name} in a {what}: {answer.status}, must be 422")
    answer = context.daemon.ask("POST", "/jobs?dry_run=true", body={"kind": "train", "notes": "two\nlines\tand a tab"})
    context.expect(answer.status in (200, 201), f"notes of two lines: {answer}")
