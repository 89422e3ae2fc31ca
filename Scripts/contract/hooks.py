"""What JSON Schema cannot say of a job: rules that join several fields, and things that exist.

Nothing is excluded: cases that the schema allows are brought to follow these rules too; cases that are made to be
refused are left as they are.
"""

import json
import os
import urllib.error
import urllib.request
import uuid

import schemathesis

URL = os.environ["VICREGD_URL"]


def ask(path, body=None, **fields):
    request = urllib.request.Request(
        URL + path, body and json.dumps(body).encode(), {"Content-Type": "application/json", **fields})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def train():
    """A training that has ended and left a checkpoint, which evaluations and downloads can name."""
    spec = {"preset": "small", "dataset": {"name": "synthetic", "limit": 32}, "batch_size": 16, "max_steps": 1}
    job = ask("/jobs", {"kind": "train", "name": "contract", "spec": spec})["id"]
    while ask(f"/jobs/{job}", Prefer="wait=30")["state"] != "succeeded":
        pass
    return job, ask(f"/jobs/{job}/checkpoints")["checkpoints"][-1]["name"]


TRAINING, CHECKPOINT = train()


def is_job(text):
    """Whether there is a job of that id."""
    try:
        ask(f"/jobs/{text}")
        return True
    except (urllib.error.HTTPError, ValueError):
        return False


def fix_train(spec):
    recipe = spec.get("augmentation")
    if isinstance(recipe, dict):
        for key in ("crop_scale", "crop_ratio", "blur_sigma"):
            if key in recipe:
                recipe[key] = sorted(recipe[key])
    # The whole dataset, or a number of images that leaves no batch of one.
    spec.setdefault("dataset", {})["limit"] = None
    spec["batch_size"] = 256
    spec["drop_last"] = False
    # A network that fits into this machine's memory.
    encoder = spec.get("encoder")
    if encoder and "width" in encoder:
        encoder["width"] = min(encoder["width"], 128)
    widths = spec.get("projector", {}).get("widths")
    if widths and widths[-1] == 1:
        widths[-1] = 2
    loss = spec.get("loss")
    if loss is not None and all(loss.get(key, 1) == 0 for key in ("inv", "var", "cov")):
        loss["inv"] = 1
    schedule = spec.get("schedule")
    if schedule and "warmup_epochs" in schedule:
        schedule["warmup_epochs"] = min(schedule["warmup_epochs"], spec.get("epochs", 1))


def fix_job(job, earlier=()):
    spec = job.get("spec")
    if "needs" in job:
        job["needs"] = [TRAINING, *earlier][: len(job["needs"])]
    if job.get("kind") == "train" and spec is not None:
        fix_train(spec)
    if "max_duration_seconds" in job:
        job.pop("max_duration", None)
    if job.get("kind") == "evaluate":
        spec["checkpoint"]["job"] = TRAINING
        spec["checkpoint"]["which"] = "last"
        if spec.get("protocol") == "logistic":
            spec["features"] = "cached"
            spec["layer"] = spec.get("layer") or "pooled"


def fix_body(body):
    if "jobs" in body:
        refs = []
        for index, job in enumerate(body["jobs"]):
            fix_job(job, refs)
            if "ref" in job:
                job["ref"] = f"{job['ref'][:50]}{index}"
                refs.append(job["ref"])
    elif "kind" in body:
        fix_job(body)
    elif body.get("labels"):
        # Labels that are merged in again and again become more than a job may have.
        body["labels"] = {"contract": next(iter(body["labels"].values()))}


@schemathesis.hook
def before_call(context, case, kwargs):
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive:
        return
    if isinstance(case.body, dict):
        fix_body(case.body)
    if case.headers and "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if case.headers and "Idempotency-Key" in case.headers:
        # A key belongs to one request.
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    query = case.query or {}
    # Cursors belong to a list in one order.
    query.pop("cursor", None)
    if case.path.endswith("/metrics") and {"points", "keys"} & set(query):
        query.pop("follow", None)
        query.pop("from_step", None)
    if "keys" in query:
        # Which metrics there are depends on the job.
        query["keys"] = "loss,inv"
    place = case.path_parameters or {}
    if "id" in place and "name" in place:
        place.update(id=TRAINING, name=CHECKPOINT)
    elif case.method == "DELETE" and place.get("id") == TRAINING:
        # What other cases name stays.
        place["id"] = "0" * 16
    elif "id" in place and case.method != "DELETE" and not is_job(place["id"]):
        place["id"] = TRAINING
