"""What JSON Schema cannot say of a job: rules that join several fields, sizes in bytes, and jobs that exist.

Nothing is excluded: cases that the schema allows are brought to follow these rules too; cases that are made to be
refused are left as they are.
"""

import json
import os
import urllib.request

import schemathesis

URL = os.environ["VICREGD_URL"]


def post(path, body):
    request = urllib.request.Request(
        URL + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


TRAINING = post("/jobs", {"kind": "train", "name": "contract", "spec": {"preset": "small"}})["id"]


def cut(text, limit):
    return text.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore") or "a"


def fix_labels(job):
    if isinstance(job.get("name"), str):
        job["name"] = cut(job["name"], 200)
    if isinstance(job.get("notes"), str):
        job["notes"] = job["notes"].encode("utf-8", "ignore")[:10_000].decode("utf-8", "ignore")
    if isinstance(job.get("labels"), dict):
        job["labels"] = {
            cut(key, 64): value.encode("utf-8", "ignore")[:256].decode("utf-8", "ignore")
            for key, value in job["labels"].items()
        }


def fix_train(spec):
    recipe = spec.get("augmentation")
    if isinstance(recipe, dict):
        for key in ("crop_scale", "crop_ratio", "blur_sigma"):
            if key in recipe:
                recipe[key] = sorted(recipe[key])
    # The whole data set or so many that no batch of one image is left over.
    spec.setdefault("dataset", {})["limit"] = None
    spec["batch_size"] = 256
    spec["drop_last"] = False
    widths = spec.get("projector", {}).get("widths")
    if widths and widths[-1] == 1:
        widths[-1] = 2
    loss = spec.get("loss")
    if loss is not None and all(loss.get(key, 1) == 0 for key in ("inv", "var", "cov")):
        loss["inv"] = 1
    schedule = spec.get("schedule")
    if schedule and "warmup_epochs" in schedule:
        schedule["warmup_epochs"] = min(schedule["warmup_epochs"], spec.get("epochs", 1))


def fix_job(job):
    fix_labels(job)
    spec = job.get("spec")
    if job.get("kind") == "train" and spec is not None:
        fix_train(spec)
    if job.get("kind") == "evaluate":
        spec["checkpoint"]["job"] = TRAINING
        spec["checkpoint"]["which"] = "last"


@schemathesis.hook
def before_call(context, case, kwargs):
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or not isinstance(case.body, dict):
        return
    if "jobs" in case.body:
        for index, job in enumerate(case.body["jobs"]):
            fix_job(job)
            if "ref" in job:
                job["ref"] = f"{cut(job['ref'], 50)}{index}"
    elif "kind" in case.body:
        fix_job(case.body)
    else:
        fix_labels(case.body)
