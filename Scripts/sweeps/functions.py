"""Eight seeded test functions for the searchers: their spaces, as a sweep's JSON says them, and their values.

Each is to be minimised and has its least value at (about) zero. A repetition moves the optimum, so that no
searcher gains by guessing the middle of a range; noise depends on the repetition and the trial's number only.
"""

import math
import random


def branin(p, _):
    """Branin and Hoo (1972), two parameters, three optima."""
    x, y = p["/x"], p["/y"]
    a = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.39788735772973816


HARTMANN_A = [
    [10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_P = [
    [1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
    [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]


def hartmann(p, _):
    """Hartmann's function of six parameters; its least value is -3.32237."""
    x = [p[f"/x{i}"] for i in range(6)]
    total = 0
    for weight, a, q in zip([1, 1.2, 3, 3.2], HARTMANN_A, HARTMANN_P):
        total -= weight * math.exp(-sum(s * (v - c / 1e4) ** 2 for s, v, c in zip(a, x, q)))
    return total + 3.322368


def rosenbrock(p, r):
    """Rosenbrock's valley in four dimensions, moved."""
    z = [p[f"/x{i}"] - r["shift"][i] + 1 for i in range(4)]
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(z, z[1:]))


def ackley(p, r):
    """Ackley's function over two real, one whole, one logarithmic and one categorical parameter."""
    s = r["shift"]
    z = [
        (p["/x"] - 16 * s[0]) / 4, (p["/y"] - 16 * s[1]) / 4, p["/n"] - round(6 * s[2]),
        2 * (math.log10(p["/rate"]) + 2 + s[3]), 0 if p["/kind"] == "abcd"[r["best"]] else 2]
    mean = sum(v * v for v in z) / len(z)
    cosines = sum(math.cos(2 * math.pi * v) for v in z) / len(z)
    return 20 + math.e - 20 * math.exp(-0.2 * math.sqrt(mean)) - math.exp(cosines)


def levy(p, r):
    """Levy's function in four dimensions, moved; observed with noise of standard deviation 1."""
    w = [1 + (p[f"/x{i}"] - 5 * r["shift"][i]) / 4 for i in range(4)]
    value = math.sin(math.pi * w[0]) ** 2
    value += sum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
    return value + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)


def table(p, r):
    """480 configurations: a bowl over the whole numbers, effects of the choices and of their pairs."""
    x = (p["/batch"] - 64) / 448 - (0.5 + 0.4 * r["shift"][0])
    y = (p["/depth"] - 1) / 4 - (0.5 + 0.4 * r["shift"][1])
    a, b = "abcd".index(p["/norm"]), [0.5, 1, 2].index(p["/weight"])
    return 4 * x * x + 2 * (y + 0.3 * x) ** 2 + r["effects"][a] + 0.5 * r["pairs"][a][b]


def tree(p, r):
    """Three methods with parameters of their own and one that all share."""
    s = r["shift"]
    rate = (math.log10(p["/rate"]) + 3 + s[0]) ** 2 / 4
    if p["/method"] == "a":
        return rate + (p["/a/x"] - s[1]) ** 2 + (p["/a/y"] - s[2]) ** 2 + 0.3
    if p["/method"] == "b":
        return 1.5 * rate + (math.log10(p["/b/x"]) - s[1]) ** 2 / 2 + abs(p["/b/y"] - s[2]) / 2
    return rate + 0.02 * (p["/c/n"] - 8 - round(4 * s[1])) ** 2 + 0.1


def training(p, r):
    """The error of a training as it depends on rate, decay, batch and optimizer; noise of 0.02."""
    s = r["shift"]
    best = {"sgd": -1, "adam": -3, "lars": -0.5}[p["/optimizer/name"]]
    best += 0.5 * math.log2(p["/batch"] / 256) / 3.3
    distance = math.log10(p["/optimizer/lr"]) - best - 0.5 * s[0]
    error = 0.1 * (1 - math.exp(-distance * distance / 2)) * 4
    error += 0.02 * (math.log10(p["/optimizer/decay"]) + 4 + s[1]) ** 2
    error += 0.03 * abs(math.log2(p["/batch"] / 256) - s[2])
    if p["/optimizer/name"] == "sgd":
        return error + 0.3 * (p["/optimizer/momentum"] - 0.85) ** 2
    return error + (0.01 if p["/optimizer/name"] == "adam" else 0.03)


def _uniform(names, low, high):
    return {name: {"uniform": [low, high]} for name in names}


_TREE = {
    "/method": {"choice": ["a", "b", "c"]}, "/rate": {"log_uniform": [1e-5, 1e-1]},
    "/a/x": {"uniform": [-2, 2], "if": {"/method": "a"}},
    "/a/y": {"uniform": [-2, 2], "if": {"/method": "a"}},
    "/b/x": {"log_uniform": [1e-2, 1e2], "if": {"/method": "b"}},
    "/b/y": {"uniform": [-2, 2], "if": {"/method": "b"}},
    "/c/n": {"int": [0, 16], "step": 1, "if": {"/method": "c"}}}
_TRAINING = {
    "/optimizer/name": {"choice": ["sgd", "adam", "lars"]}, "/optimizer/lr": {"log_uniform": [1e-5, 10]},
    "/optimizer/decay": {"log_uniform": [1e-7, 1e-1]}, "/batch": {"int": [64, 1024], "step": 64},
    "/optimizer/momentum": {"uniform": [0, 0.99], "if": {"/optimizer/name": "sgd"}}}

#: name → (space, function, standard deviation of the noise)
FUNCTIONS = {
    "branin": ({"/x": {"uniform": [-5, 10]}, "/y": {"uniform": [0, 15]}}, branin, 0),
    "hartmann": (_uniform([f"/x{i}" for i in range(6)], 0, 1), hartmann, 0),
    "rosenbrock": (_uniform([f"/x{i}" for i in range(4)], -2, 2), rosenbrock, 0),
    "ackley": (
        {"/x": {"uniform": [-32, 32]}, "/y": {"uniform": [-32, 32]}, "/n": {"int": [-10, 10], "step": 1},
         "/rate": {"log_uniform": [1e-4, 1]}, "/kind": {"choice": list("abcd")}}, ackley, 0),
    "levy": (_uniform([f"/x{i}" for i in range(4)], -10, 10), levy, 1),
    "table": (
        {"/norm": {"choice": list("abcd")}, "/weight": {"choice": [0.5, 1, 2]},
         "/batch": {"int": [64, 512], "step": 64}, "/depth": {"int": [1, 5], "step": 1}}, table, 0),
    "tree": (_TREE, tree, 0),
    "training": (_TRAINING, training, 0.02)}


class Problem:
    """One repetition of a function."""

    def __init__(self, name, repetition):
        self.space, self.function, self.noise = FUNCTIONS[name]
        self.key = f"{name}/{repetition}"
        source = random.Random(self.key)
        self.instance = {
            "shift": [source.uniform(-1, 1) for _ in range(6)], "best": source.randrange(4),
            "effects": [source.random() for _ in range(4)],
            "pairs": [[source.random() for _ in range(3)] for _ in range(4)]}

    def value(self, parameters):
        """The value without noise."""
        return self.function(parameters, self.instance)

    def observed(self, parameters, number):
        """What trial `number` would report."""
        return self.value(parameters) + self.noise * random.Random(f"{self.key}/{number}").gauss(0, 1)
