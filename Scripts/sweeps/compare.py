"""Compares the sweeps' searchers with Optuna's samplers on eight seeded functions.

    compare.py run [--searchers tpe,gp,…] [--repetitions 30] [--trials 100] [--seconds 300] [--command PATH]
                   [--results FILE]
    compare.py report [--results FILE]
    compare.py importances [--repetitions 30] [--command PATH]

Needs optuna (with scipy and torch for its GP sampler), and `swift build -c release --product SweepAsk`. `run` appends
one JSON line per finished repetition to the results and skips what they have already, so that it may be stopped at any
time and started again. A run of 100 trials holds the one of 50: no searcher knows its budget. `importances` compares
those of the parameters with Optuna's on the same trials.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path

from functions import FUNCTIONS, Problem

OPTUNA = ["optuna-tpe", "optuna-gp"]
OURS = ["random", "sobol", "tpe", "gp"]


def suggest(trial, space):
    """Asks an Optuna trial for every active parameter of a space."""
    parameters = {}
    for name, domain in space.items():
        if any(parameters.get(key) != value for key, value in domain.get("if", {}).items()):
            continue
        if "choice" in domain:
            parameters[name] = trial.suggest_categorical(name, domain["choice"])
        elif "int" in domain:
            low, high = domain["int"]
            parameters[name] = trial.suggest_int(name, low, high, step=domain.get("step", 1))
        else:
            kind = "uniform" if "uniform" in domain else "log_uniform"
            low, high = domain[kind]
            parameters[name] = trial.suggest_float(name, low, high, log=kind == "log_uniform")
    return parameters


def optuna_trials(searcher, problem, seed):
    """Yields the configurations that an Optuna sampler asks for; it is sent the value of each."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {"optuna-tpe": optuna.samplers.TPESampler, "optuna-gp": optuna.samplers.GPSampler}
    study = optuna.create_study(sampler=samplers[searcher](seed=seed))
    while True:
        trial = study.ask()
        value = yield suggest(trial, problem.space)
        study.tell(trial, value)


def our_trials(searcher, problem, seed, command):
    """Yields the configurations that a searcher of this package asks for; it is sent the value of each."""
    process = subprocess.Popen([command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        write(process, {"space": problem.space, "searcher": searcher, "seed": seed})
        number = 0
        while True:
            write(process, {"ask": number})
            answer = json.loads(process.stdout.readline())
            if "exhausted" in answer:
                return
            value = yield answer["parameters"]
            write(process, {"tell": number, "value": value})
            number += 1
    finally:
        process.stdin.close()
        process.wait()


def write(process, message):
    """Sends one JSON line to a process."""
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def best_so_far(name, repetition, searcher, command, count):
    """The value without noise of the best observed trial, after each trial."""
    problem = Problem(name, repetition)
    if searcher in OPTUNA:
        trials = optuna_trials(searcher, problem, repetition)
    else:
        trials = our_trials(searcher, problem, repetition, command)
    best, curve, parameters = (math.inf, None), [], next(trials)
    for number in range(count):
        observed = problem.observed(parameters, number)
        best = min(best, (observed, problem.value(parameters)))
        curve.append(best[1])
        if number + 1 < count:
            parameters = trials.send(observed)
    trials.close()
    return curve


def load(path):
    """The results so far: (searcher, function, repetition) → curve."""
    results = {}
    if path.exists():
        for line in path.read_text().splitlines():
            row = json.loads(line)
            results[row["searcher"], row["function"], row["repetition"]] = row["curve"]
    return results


def run(arguments):
    """Runs what is missing, until the time limit in seconds is over."""
    end = time.monotonic() + arguments.seconds
    known = load(arguments.results)
    wanted = [
        (searcher, name, repetition) for repetition in range(arguments.repetitions)
        for searcher in arguments.searchers.split(",") for name in FUNCTIONS]
    for searcher, name, repetition in wanted:
        if (searcher, name, repetition) in known:
            continue
        if time.monotonic() > end:
            print("time is up; run again to go on")
            return 3
        began = time.monotonic()
        curve = best_so_far(name, repetition, searcher, arguments.command, arguments.trials)
        row = {
            "searcher": searcher, "function": name, "repetition": repetition, "curve": curve,
            "seconds": round(time.monotonic() - began, 2)}
        with arguments.results.open("a") as file:
            file.write(json.dumps(row) + "\n")
    print("complete")
    return 0


def sign_test(wins, losses):
    """The chance of so few wins or fewer if both were equally good (ties left out)."""
    n = wins + losses
    return sum(math.comb(n, k) for k in range(wins + 1)) / 2**n if n else 1.0


def compare(results, ours, other, trials):
    """Wins, ties and losses of one searcher against another after so many trials, per function and in all."""
    table = {}
    for name in FUNCTIONS:
        counts = [0, 0, 0]
        for (searcher, function, repetition), curve in results.items():
            opponent = results.get((other, name, repetition))
            if searcher != ours or function != name or opponent is None:
                continue
            if min(len(curve), len(opponent)) < trials:
                continue
            a, b = curve[trials - 1], opponent[trials - 1]
            tolerance = 1e-9 * max(1, abs(a), abs(b))
            counts[0 if a < b - tolerance else 2 if a > b + tolerance else 1] += 1
        table[name] = counts
    table["all"] = [sum(column) for column in zip(*table.values())]
    return table


def report(arguments):
    """Prints the table of sign tests."""
    results = load(arguments.results)
    pairs = [("tpe", "optuna-tpe"), ("gp", "optuna-gp"), ("tpe", "random"), ("gp", "random")]
    failures = 0
    for ours, other in pairs:
        for trials in (20, 50, 100) if other == "random" else (50, 100):
            table = compare(results, ours, other, trials)
            wins, ties, losses = table["all"]
            if wins + ties + losses == 0:
                print(f"{ours} against {other}, {trials} trials: nothing to compare")
                continue
            worse, better = sign_test(wins, losses), sign_test(losses, wins)
            failed = better > 0.05 if other == "random" else worse < 0.05
            failures += failed
            rows = " ".join(f"{name} {w}-{t}-{l}" for name, (w, t, l) in table.items())
            print(f"{ours} against {other}, {trials} trials: {rows}")
            print(f"  p(not worse) {worse:.3f}, p(not better) {better:.3g}{' FAILED' if failed else ''}")
    return min(failures, 1)


def optuna_study(problem, seed, count):
    """Trials of Optuna's TPE sampler, and the rows of the same trials for this package."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study, rows = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed)), []
    for number in range(count):
        trial = study.ask()
        parameters = suggest(trial, problem.space)
        rows.append({"parameters": parameters, "value": problem.observed(parameters, number)})
        study.tell(trial, rows[-1]["value"])
    return study, rows


def importances(arguments):
    """Prints how far the importances of parameters are from Optuna's, at most, for each function."""
    import optuna

    worst = 0
    for name in FUNCTIONS:
        largest = 0
        for repetition in range(arguments.repetitions):
            problem = Problem(name, repetition)
            study, rows = optuna_study(problem, repetition, arguments.trials)
            expected = optuna.importance.get_param_importances(study)
            process = subprocess.Popen(
                [arguments.command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            write(process, {"space": problem.space, "searcher": "tpe", "seed": 0})
            write(process, {"rows": rows})
            found = json.loads(process.stdout.readline())["importances"]
            process.stdin.close()
            process.wait()
            largest = max([largest] + [abs(found[key] - value) for key, value in expected.items()])
        print(f"{name}: at most {largest:.2g} from Optuna's, {arguments.repetitions} studies")
        worst = max(worst, largest)
    return 0 if worst < 0.03 else 1


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=["run", "report", "importances"])
    parser.add_argument("--searchers", default=",".join(OURS + OPTUNA))
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--command", default=".build/release/SweepAsk")
    parser.add_argument("--results", type=Path, default=Path("results.jsonl"))
    arguments = parser.parse_args()
    return {"run": run, "report": report, "importances": importances}[arguments.action](arguments)


if __name__ == "__main__":
    sys.exit(main())
