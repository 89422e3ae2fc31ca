#!/usr/bin/env python3
"""Successive halving against whole trainings: `asha` and plain `random` search of one space, on held-back images.

    study.py --url URL [--dataset fashion-mnist] [--trials 27] [--whole 20] [--picture FILE.svg] [--now]

Begins two sweeps over the rate, the loss weights, the crop, the projector and the batch of preset `small`, with the
same seed, so that both try the same configurations in the same order: one has `--trials` under `asha` with rungs at 1,
3 and 9 epochs, the other trains `--whole` of them for all 9. What is compared is the accuracy of nearest neighbours
on a part of the training images that no step has seen. Prints the best value so far against the epochs that all
trials together have trained, and draws it. Begun again, it finds its sweeps and goes on waiting; `--now` reports what
is there without waiting. Needs Python's standard library alone.
"""

import argparse
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

RUNGS = [1, 3, 9]
SPACE = {
    "/optimizer/lr": {"log_uniform": [5e-4, 3e-2]},
    "/loss/inv": {"uniform": [5, 50]},
    "/loss/cov": {"log_uniform": [0.2, 5]},
    "/augmentation/crop_scale/0": {"uniform": [0.08, 0.7]},
    "/projector/widths/1": {"choice": [256, 512, 1024]},
    "/batch_size": {"choice": [32, 64, 128]},
}


def ask(url, body=None, key=None):
    """The JSON of an answer; ends the script where the daemon refuses."""
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{url}: {error.code} {error.read().decode()}")


def begin(url, dataset, limit, name, trials, halving):
    """Begins a sweep, or finds the one of an earlier run."""
    earlier = [sweep for sweep in ask(f"{url}/sweeps?fields=id,name&limit=100")["sweeps"] if sweep["name"] == name]
    if earlier:
        return earlier[0]["id"]
    spec = {"preset": "small", "dataset": {"name": dataset, "limit": limit}, "epochs": RUNGS[-1],
            "online": {"holdout": 0.3}, "checkpoint": {"every_epochs": RUNGS[-1], "keep_last": 1}}
    body = {"name": name, "base": {"kind": "train", "spec": spec}, "space": SPACE, "max_trials": trials,
            "search": {"name": "random", "seed": 1}, "objective": {"metric": "knn_top1", "mode": "max"},
            "priority": 70 if halving else 40}
    if halving:
        body["early_stopping"] = {"name": "asha", "reduction_factor": 3, "min_epochs": 1, "max_epochs": RUNGS[-1]}
    return ask(f"{url}/sweeps", body, key=f"study-{name}")["id"]


def jobs(url, sweep):
    """All jobs of a sweep that have succeeded, in the order in which they ended."""
    found, cursor = [], ""
    while cursor is not None:
        page = ask(f"{url}/jobs?sweep={sweep}&state=succeeded&limit=100&sort=created_at&"
                   f"fields=sweep,finished_at,running_seconds,summary{cursor}")
        found += page["jobs"]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return sorted(found, key=lambda job: job["finished_at"])


def curve(url, sweep, rungs):
    """[(epochs of all trials so far, seconds so far, best value so far, its trial)] at the end of each job."""
    epochs, seconds, best, best_trial, points = 0, 0.0, 0.0, None, []
    reached = {}
    for job in jobs(url, sweep):
        trial = job["sweep"]["trial"]
        rung = reached[trial] = reached.get(trial, -1) + 1
        epochs += rungs[rung] - (rungs[rung - 1] if rung else 0)
        seconds += job["running_seconds"]
        value = job["summary"]["knn_top1"]["last"]
        if value > best:
            best, best_trial = value, trial
        points.append((epochs, seconds, best, best_trial))
    return points


def wait(url, sweeps):
    """Waits until the sweeps have ended."""
    while any(ask(f"{url}/sweeps/{sweep}")["state"] not in ("succeeded", "failed", "cancelled") for sweep in sweeps):
        time.sleep(10)


def report(curves):
    """Prints both curves, and what the shorter search had found at a third of the other's compute."""
    for name, points in curves.items():
        print(f"\n{name}: epochs of all trials, seconds, best so far, its trial")
        shown = None
        for epochs, seconds, best, trial in points:
            if best != shown or (epochs, seconds) == points[-1][:2]:
                print(f"{epochs:6d} {seconds:8.0f} s  {best:.4f}  #{trial}")
                shown = best
    whole = curves["random"]
    if whole and curves["asha"]:
        third = whole[-1][0] / 3
        found = max((point[2] for point in curves["asha"] if point[0] <= third), default=0)
        print(f"\nrandom after {whole[-1][0]} epochs: {whole[-1][2]:.4f}; asha within a third of them: {found:.4f}, "
              f"in all, {curves['asha'][-1][0]} epochs: {curves['asha'][-1][2]:.4f}")


def picture(curves, file):
    """Draws the curves as SVG: steps of the best value so far against epochs."""
    width, height, left, bottom, top, right = 720, 360, 64, 44, 20, 24
    most = max(points[-1][0] for points in curves.values() if points)
    values = [point[2] for points in curves.values() for point in points]
    low, high = int(min(values) * 20) / 20, max(values) + 0.01
    ticks = [low + index * 0.05 for index in range(int((high - low) / 0.05) + 1)]

    def x(epochs):
        return left + (width - left - right) * epochs / most

    def y(value):
        return height - bottom - (height - bottom - top) * (value - low) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             'font-size="13"><rect width="100%" height="100%" fill="#fff"/>']
    for tick in ticks:
        parts.append(f'<path d="M{left} {y(tick):.1f}H{width - right}" stroke="#dfddd6"/><text x="{left - 8}" '
                     f'y="{y(tick) + 4:.1f}" text-anchor="end" fill="#5f6663">{tick:.0%}</text>')
    step = 20 if most > 100 else 10
    for tick in range(0, most + 1, step):
        parts.append(f'<text x="{x(tick):.1f}" y="{height - bottom + 18}" text-anchor="middle" '
                     f'fill="#5f6663">{tick}</text>')
    parts.append(f'<text x="{(left + width - right) / 2}" y="{height - 6}" text-anchor="middle" fill="#1d1f1e">'
                 'epochs that all trials together have trained</text>')
    for (name, colour), shift in zip((("asha", "#15604f"), ("random", "#c2751f")), (-8, 16)):
        points = curves[name]
        if not points:
            continue
        path, before = f"M{x(points[0][0]):.1f} {y(points[0][2]):.1f}", points[0][2]
        for epochs, _, best, _ in points[1:]:
            path += f"H{x(epochs):.1f}" + (f"V{y(best):.1f}" if best != before else "")
            before = best
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/><text '
                     f'x="{x(points[-1][0]):.1f}" y="{y(before) + shift:.1f}" text-anchor="end" fill="{colour}">'
                     f'{name}: {before:.1%} after {points[-1][0]} epochs</text>')
    pathlib.Path(file).write_text("\n".join(parts) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--dataset", default="fashion-mnist")
    parser.add_argument("--limit", type=int, default=9000)
    parser.add_argument("--trials", type=int, default=27)
    parser.add_argument("--whole", type=int, default=20)
    parser.add_argument("--picture")
    parser.add_argument("--now", action="store_true")
    options = parser.parse_args()
    sweeps = {name: begin(options.url, options.dataset, options.limit, name, trials, name == "asha")
              for name, trials in (("asha", options.trials), ("random", options.whole))}
    if not options.now:
        wait(options.url, sweeps.values())
    curves = {name: curve(options.url, sweep, RUNGS if name == "asha" else RUNGS[-1:])
              for name, sweep in sweeps.items()}
    report(curves)
    if options.picture:
        picture(curves, options.picture)


if __name__ == "__main__":
    main()
