#!/usr/bin/env python3
"""Runs a sweep whose configurations Optuna chooses and whose trials this daemon trains.

    optuna_sweep.py SWEEP.json STUDY.db [--url URL] [--token TOKEN] [--parallel N]
                    [--sampler NAME [--sampler-options JSON]] [--pruner NAME [--pruner-options JSON]]

SWEEP.json is the body of `POST /sweeps`. `search` and `early_stopping` become Optuna's sampler and pruner of the same
method, unless --sampler or --pruner names any other class of `optuna.samplers` or `optuna.pruners`, such as
`--sampler CmaEsSampler` or `--pruner MedianPruner --pruner-options '{"n_warmup_steps": 2}'`.

For each trial: asks the sampler, queues the training by `POST /jobs` (under an Idempotency-Key made of study and
trial), follows its lines, reports the objective after each epoch, and cancels the job if the pruner says so. STUDY.db
keeps the study. Killed at any moment, the script goes on when it is started again with the same files: with the jobs
that it had queued, none of them twice. It also waits for a daemon that is being restarted. A study that has ended is
extended by a larger `max_trials`.

Prints one JSON line for each trial, then one for the best. Needs `pip install optuna` (the `gp` sampler also scipy and
torch).
"""

import argparse
import copy
import fcntl
import hashlib
import http.client
import json
import math
import os
import secrets
import statistics
import sys
import threading
import time
import urllib.error
import urllib.request

try:
    import optuna
except ImportError:
    sys.exit("optuna_sweep.py needs Optuna: pip install optuna")

# What the script knows of the members of a sweep; it refuses all others rather than passing over them.
MEMBERS = {"name", "base", "evaluate", "space", "search", "early_stopping", "objective", "seeds", "max_trials",
           "max_concurrent", "max_failed"}
# Members that a study may be continued with after they have been changed.
CHANGEABLE = {"name", "max_trials", "max_concurrent", "max_failed"}
# How long, in seconds, requests are repeated while the daemon does not answer.
PATIENCE_SECONDS = 600
FINISHED = ("succeeded", "failed", "cancelled")
PRUNED_AT = "pruned_at"
EVALUATION = "evaluation.top1"
# The values of a metric's summary, which an objective may name after a point.
SUMMARY_VALUES = ("last", "mean", "min", "max")


class Refusal(Exception):
    """The daemon's answer to a request that it does not accept."""

    def __init__(self, status, text):
        self.status = status
        super().__init__(f"{status}: {text}")


class Client:
    """Requests to the daemon. One that is not answered is sent again: each has its effect only once."""

    def __init__(self, url, token):
        self.url = url.rstrip("/")
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def open(self, method, path, body=None, key=None):
        """The answer, still to be read."""
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        return urllib.request.urlopen(request, timeout=120)

    def ask(self, method, path, body=None, key=None):
        """The JSON of an answer. Throws Refusal."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self.open(method, path, body, key) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                with error:
                    text = error.read().decode(errors="replace").strip()
                if error.code not in (429, 503, 507):
                    raise Refusal(error.code, text) from None
                pause, why = float(error.headers.get("Retry-After", 5)), f"{error.code} {text}"
            except (OSError, http.client.HTTPException, ValueError) as error:
                pause, why = 1.0, str(error)
            if time.monotonic() > end:
                sys.exit(f"{self.url}{path} has not been answered for {PATIENCE_SECONDS} seconds: {why}")
            time.sleep(pause)

    def lines(self, job):
        """The lines of a job from its first to its last, over as many connections as it takes."""
        step, seen = 0, set()
        while True:
            try:
                with self.open("GET", f"/jobs/{job}/metrics?follow=true&from_step={step}") as answer:
                    for text in answer:
                        digest = hashlib.blake2b(text, digest_size=8).digest()
                        if not text.endswith(b"\n") or digest in seen:
                            continue
                        seen.add(digest)
                        line = json.loads(text)
                        yield line
                        if line["event"] == "end":
                            return
                        if line.get("step", 0) > step:
                            step = line["step"]
            except urllib.error.HTTPError as error:
                with error:
                    if error.code < 500 and error.code != 429:
                        raise Refusal(error.code, error.read().decode(errors="replace")) from None
            except (OSError, http.client.HTTPException):
                pass
            # The stream was cut off, or has reached the longest time that the daemon lets one be open.
            time.sleep(1)
            self.ask("GET", "/healthz")


def ordered(space):
    """The parameters of a space, each after those that its conditions name."""
    waiting, result = dict(sorted(space.items())), {}
    while waiting:
        ready = [name for name, domain in waiting.items() if all(key in result for key in domain.get("if", {}))]
        if not ready:
            sys.exit(f"space: the conditions of {', '.join(waiting)} name no other parameter of the space")
        for name in ready:
            result[name] = waiting.pop(name)
    return result


def suggested(trial, space):
    """The value of each active parameter."""
    values = {}
    for name, domain in space.items():
        conditions = domain.get("if", {})
        allowed = {key: value if isinstance(value, list) else [value] for key, value in conditions.items()}
        if any(key not in values or values[key] not in choices for key, choices in allowed.items()):
            continue
        if "choice" in domain:
            values[name] = trial.suggest_categorical(name, domain["choice"])
        elif "int" in domain:
            (low, high), step = domain["int"], domain.get("step", 1)
            values[name] = trial.suggest_int(name, low, high - (high - low) % step, step=step)
        else:
            kind = "log_uniform" if "log_uniform" in domain else "uniform"
            if kind not in domain:
                sys.exit(f"space{name}: must have choice, uniform, log_uniform or int")
            values[name] = trial.suggest_float(name, *domain[kind], log=kind == "log_uniform")
    return values


def place(specification, resolved, pointer, value):
    """Sets the member of a specification that a JSON pointer (RFC 6901) names.

    An array that the specification leaves to its preset is taken from the resolved one, as a part of it alone cannot
    be given.
    """
    keys = [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]
    for key, following in zip(keys, [*keys[1:], None]):
        if isinstance(specification, list):
            key = int(key)
        if following is None:
            specification[key] = value
            return
        known = resolved[key] if isinstance(resolved, list) else (resolved or {}).get(key)
        is_missing = not isinstance(specification, list) and specification.get(key) is None
        if is_missing:
            specification[key] = copy.deepcopy(known) if isinstance(known, list) else {}
        specification, resolved = specification[key], known


def sampler(arguments, sweep, trials):
    """The study's sampler. A random one that has asked for some trials already must not draw the same again."""
    search = sweep.get("search", {})
    seed = search.get("seed", 0)
    if arguments.sampler:
        return getattr(optuna.samplers, arguments.sampler)(**json.loads(arguments.sampler_options))
    match search.get("name", "tpe"):
        case "grid":
            return optuna.samplers.GridSampler({name: values(name, d) for name, d in sweep["space"].items()}, seed)
        case "random":
            return optuna.samplers.RandomSampler(seed + trials)
        case "sobol":
            return optuna.samplers.QMCSampler(qmc_type="sobol", scramble=True, seed=seed)
        case "tpe":
            return optuna.samplers.TPESampler(multivariate=True, constant_liar=True, seed=seed + trials)
        case "gp":
            return optuna.samplers.GPSampler(seed=seed + trials)
        case other:
            sys.exit(f"search.name must be grid, random, sobol, tpe or gp, got {other!r}")


def values(name, domain):
    """All values of a parameter, for the grid."""
    if "if" in domain or not ("choice" in domain or "int" in domain):
        sys.exit(f"space{name}: Optuna's grid needs choice or int, without conditions")
    return domain.get("choice") or list(range(domain["int"][0], domain["int"][1] + 1, domain.get("step", 1)))


def pruner(arguments, sweep):
    """The study's pruner."""
    if arguments.pruner:
        return getattr(optuna.pruners, arguments.pruner)(**json.loads(arguments.pruner_options))
    stopping = sweep.get("early_stopping")
    if stopping is None:
        return optuna.pruners.NopPruner()
    return optuna.pruners.SuccessiveHalvingPruner(
        min_resource=stopping["min_epochs"], reduction_factor=stopping["reduction_factor"])


class Sweep:
    """A study, and the jobs of its trials."""

    def __init__(self, arguments):
        self.client = Client(arguments.url, arguments.token)
        with open(arguments.sweep) as file:
            self.sweep = json.load(file)
        unknown = sorted(self.sweep.keys() - MEMBERS)
        if unknown or self.sweep.get("seeds", 1) != 1:
            sys.exit(f"{arguments.sweep}: not supported with Optuna: {', '.join(unknown) or 'seeds other than 1'}")
        self.space = ordered(self.sweep["space"])
        self.objective = self.sweep["objective"]["metric"]
        name, _, value = self.objective.rpartition(".")
        self.metric, self.value = (name, value) if value in SUMMARY_VALUES else (self.objective, "last")
        is_accuracy = self.objective == EVALUATION or self.metric.endswith("top1")
        mode = self.sweep["objective"].get("mode", "max" if is_accuracy else "min")
        study = optuna.create_study(
            study_name="sweep", storage=f"sqlite:///{arguments.study}", load_if_exists=True,
            direction="minimize" if mode == "min" else "maximize", pruner=pruner(arguments, self.sweep))
        study.sampler = sampler(arguments, self.sweep, len(study.trials))
        if self.objective == EVALUATION and not isinstance(study.pruner, optuna.pruners.NopPruner):
            sys.exit("objective: a pruner needs a metric that a training reports as it runs, not evaluation.top1")
        self.study, self.identity = study, self.identify(study, arguments.study)
        self.base = self.sweep.get("base", {"kind": "train"})
        self.resolved = self.client.ask("POST", "/jobs?dry_run=true", self.base)["spec"]
        # Asking and telling are one at a time: a sampler sees every trial that was asked for before.
        self.lock = threading.Lock()
        self.waiting = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.RUNNING]
        self.failure = None

    def identify(self, study, path):
        """What the study's jobs are known by; ends the script if the study belongs to another sweep."""
        fixed = {key: value for key, value in self.sweep.items() if key not in CHANGEABLE}
        if study.user_attrs.get("sweep", fixed) != fixed:
            sys.exit(f"{path} holds the study of another sweep")
        if "identity" not in study.user_attrs:
            study.set_user_attr("sweep", fixed)
            study.set_user_attr("identity", secrets.token_hex(8))
        return study.user_attrs["identity"]

    def run(self, parallel):
        """Runs trials until there are enough, at most `parallel` at a time."""
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(parallel)]
        for thread in threads:
            thread.start()
        while self.failure is None and any(thread.is_alive() for thread in threads):
            time.sleep(0.1)
        if self.failure is not None:
            raise self.failure
        complete = [t for t in self.study.trials if t.state == optuna.trial.TrialState.COMPLETE]
        if not complete:
            sys.exit("no trial has come to its end")
        best = self.study.best_trial
        print(json.dumps({
            "best": {"trial": best.number, "job": best.user_attrs["job"], "value": best.value,
                     "parameters": best.params}}), flush=True)

    def work(self):
        """Runs one trial after the other."""
        try:
            while (asked := self.next()) is not None:
                trial, parameters = asked
                self.finish(trial, parameters, *self.outcome(trial, parameters))
        except BaseException as error:  # Raised again by `run`, in the main thread.
            self.failure = error

    def next(self):
        """A trial that an earlier run of the script has left, or a new one, and its parameters.

        None: there are enough trials.
        """
        with self.lock:
            if self.waiting:
                trial = optuna.trial.Trial(self.study, self.waiting.pop(0)._trial_id)
            else:
                states = [trial.state for trial in self.study.get_trials(deepcopy=False)]
                if len(states) >= self.sweep.get("max_trials", math.inf):
                    return None
                failed = states.count(optuna.trial.TrialState.FAIL)
                if failed > self.sweep.get("max_failed", 5):
                    sys.exit(f"{failed} trials have failed, which is more than max_failed")
                trial = self.study.ask()
            return trial, suggested(trial, self.space)

    def jobs(self, number, parameters):
        """The jobs of a trial, as `POST /jobs` takes them."""
        training = copy.deepcopy(self.base)
        specification = training.setdefault("spec", {})
        stopping = self.sweep.get("early_stopping")
        if stopping:
            specification["epochs"] = stopping["max_epochs"]
        for pointer, value in parameters.items():
            place(specification, self.resolved, pointer, value)
        labels = {"study": self.identity, "trial": str(number)}
        name = f"{self.sweep.get('name') or 'sweep'} {number}"
        jobs = [{**training, "ref": "training", "name": name, "labels": {**training.get("labels", {}), **labels}}]
        if "evaluate" in self.sweep:
            evaluation = {**self.sweep["evaluate"], "checkpoint": {"job": "training"}}
            jobs.append({"kind": "evaluate", "name": name, "labels": labels, "spec": evaluation})
        return {"jobs": jobs}

    def queued(self, number, parameters):
        """The ids of a trial's jobs by their kinds; they are queued if they are not yet."""
        # The key alone would do for a week; the labels do for as long as the jobs are there.
        query = f"/jobs?label=study%3D{self.identity}&label=trial%3D{number}&fields=id,kind"
        known = self.client.ask("GET", query)["jobs"]
        if not known:
            key = f"optuna-{self.identity}-{number}"
            known = self.client.ask("POST", "/jobs", self.jobs(number, parameters), key)["jobs"]
        return {job["kind"]: job["id"] for job in known}

    def outcome(self, trial, parameters):
        """What becomes of a trial: its state, its value, and a sentence if it has none."""
        states = optuna.trial.TrialState
        try:
            jobs = self.queued(trial.number, parameters)
        except Refusal as refusal:
            if refusal.status in (401, 403, 405):
                raise
            return states.FAIL, None, str(refusal)
        training = jobs["train"]
        trial.set_user_attr("job", training)
        if self.is_pruned(trial, training):
            return states.PRUNED, None, f"pruned after epoch {trial.user_attrs[PRUNED_AT]}"
        job = self.client.ask("GET", f"/jobs/{training}")
        if job["state"] != "succeeded":
            # Samplers ignore failed trials, but they should learn from a loss that is no longer finite.
            state = states.PRUNED if job["reason"] == "diverged" else states.FAIL
            return state, None, f"job {training}: {job['state']}, {job['reason']}"
        if self.objective != EVALUATION:
            value = (job["summary"].get(self.metric) or {}).get(self.value)
        else:
            for _ in self.client.lines(jobs["evaluate"]):
                pass
            value = (self.client.ask("GET", f"/jobs/{jobs['evaluate']}")["result"] or {}).get("top1")
        if value is None:
            return states.FAIL, None, f"job {training} has no {self.objective}"
        return states.COMPLETE, value, None

    def is_pruned(self, trial, job):
        """Follows a training to its end, or cancels it where the pruner says so: whether the pruner did."""
        reported = self.study.trials[trial.number].intermediate_values
        for epoch, value in [] if PRUNED_AT in trial.user_attrs else self.epoch_values(job):
            if epoch in reported:
                continue
            trial.report(value, epoch)
            if trial.should_prune():
                # Noted before it is done: a cancelled job alone does not say who cancelled it.
                trial.set_user_attr(PRUNED_AT, epoch)
                break
        if PRUNED_AT not in trial.user_attrs:
            return False
        try:
            self.client.ask("POST", f"/jobs/{job}/cancel", {"mode": "now"})
        except Refusal as refusal:
            if refusal.status != 409:  # It has ended meanwhile.
                raise
        return True

    def epoch_values(self, job):
        """After each epoch its number, from 1, and the objective: the mean of the epoch's lines."""
        epoch, values = 0, []
        for line in self.client.lines(job):
            value = line.get(self.metric)
            is_metric, is_end = line["event"] == "metric", line["event"] == "end"
            if line["event"] == "evaluation" and value is not None:
                yield line["epoch"] + 1, value
            if is_end or is_metric and line["epoch"] > epoch:
                if values:
                    yield epoch + 1, statistics.fmean(values)
                epoch, values = line.get("epoch", epoch), []
            if is_metric and value is not None:
                values.append(value)

    def finish(self, trial, parameters, state, value, why):
        """Tells the study, and prints a line."""
        with self.lock:
            self.study.tell(trial, value, state=state)
            line = {"trial": trial.number, "state": state.name.lower(), "value": value,
                    "job": trial.user_attrs.get("job"), "parameters": parameters}
            print(json.dumps({**line, **({"message": why} if why else {})}), flush=True)


def main():
    """Reads the command line and runs the sweep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", metavar="SWEEP.json")
    parser.add_argument("study", metavar="STUDY.db")
    parser.add_argument("--url", default=os.environ.get("VICREGD_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token", default=os.environ.get("VICREGD_TOKEN"))
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--sampler")
    parser.add_argument("--sampler-options", default="{}")
    parser.add_argument("--pruner")
    parser.add_argument("--pruner-options", default="{}")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # One script at a time: it takes up all trials that were left.
    with open(f"{arguments.study}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"another optuna_sweep.py is working on {arguments.study}")
        try:
            Sweep(arguments).run(arguments.parallel)
        except Refusal as refusal:
            sys.exit(f"{arguments.url}: {refusal}")
        except KeyboardInterrupt:
            sys.exit("interrupted; its jobs go on, and so does the study when this script is started again")


if __name__ == "__main__":
    main()
