"""Writes the golden numbers of the methods: each loss with its gradient, each method on a narrow ResNet-18, SGD with
Nesterov's momentum and the moving average of BYOL.

    python make_methods.py           # needs torch and torchvision; writes methods.json beside this script

Everything is computed in float64 from float32 inputs, as `make_golden.py` does; inputs and summaries are those of `generator.py`.
"""
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import generator
from generator import bits, generated, rounded
from make_golden import CIFARResNet


def summary(tensor):
    """That of generator.py with fewer products and entries, as there are many tensors."""
    whole = generator.summary(tensor)
    return whole | {"dots": whole["dots"][:4], "entries": whole["entries"][:16]}


# Losses: z is [views, n, d].

def barlow(z, lam=0.0051, scale=0.1, **_):
    def correlate(a, b):
        c = a.T @ b / len(a)
        on = ((c.diagonal() - 1) ** 2).sum()
        return on, (c * c).sum() - (c.diagonal() ** 2).sum()

    norm = nn.BatchNorm1d(z.shape[-1], affine=False).double().train()
    y = [norm(v) for v in z]
    terms = []
    for i, own in enumerate(y):
        others = [v for j, v in enumerate(y) if j != i]
        terms.append(correlate(own, sum(others) / len(others)))
    on, off = (sum(t[k] for t in terms) / len(terms) for k in (0, 1))
    return scale * (on + lam * off), {"on_diagonal": on, "off_diagonal": off}


def simclr(z, temperature=0.2, **_):
    u = F.normalize(torch.cat(list(z)), dim=1)
    m = len(u)
    s = u @ u.T
    positive = s[torch.arange(m), (torch.arange(m) + m // 2) % m]
    others = s.masked_fill(torch.eye(m, dtype=torch.bool), -math.inf)
    loss = (torch.logsumexp(others / temperature, 1) - positive / temperature).mean()
    top1 = (positive == others.max(1).values).double().mean()
    return loss, {"positive_similarity": positive.mean(), "contrast_top1": top1}


def byol(p, z, **_):
    z = z.detach()
    pairs = [F.cosine_similarity(p[v], z[1 - v], dim=-1).mean() for v in (0, 1)]
    return sum(2 - 2 * c for c in pairs), {"similarity": sum(pairs) / 2}


def simsiam(p, z, **_):
    z = z.detach()
    pairs = [F.cosine_similarity(p[v], z[1 - v], dim=-1).mean() for v in (0, 1)]
    return sum(-c / 2 for c in pairs), {"similarity": sum(pairs) / 2}


def sigreg(z, directions, lam=0.02, points=17, **_):
    """LeJEPA's minimal example."""
    t = torch.linspace(0, 3, points, dtype=torch.float64)
    dt = 3 / (points - 1)
    weights = torch.full((points,), 2 * dt, dtype=torch.float64)
    weights[[0, -1]] = dt
    phi = torch.exp(-t.square() / 2)
    x = (z @ directions.T).unsqueeze(-1) * t
    err = (x.cos().mean(-3) - phi).square() + x.sin().mean(-3).square()
    statistic = ((err @ (weights * phi)) * z.size(-2)).mean()
    inv = (z.mean(0) - z).square().mean()
    return (1 - lam) * inv + lam * statistic, {"inv": inv, "sigreg": statistic}


def vicreg_views(z, inv=25, var=25, cov=1, gamma=1, epsilon=1e-4, **_):
    def covariance(v):
        c = v - v.mean(0)
        c = c.T @ c / (len(v) - 1)
        return ((c * c).sum() - (c.diagonal() ** 2).sum()) / v.shape[1]

    i = 4 * (z - z.mean(0)).square().mean()
    v = 2 * sum(F.relu(gamma - torch.sqrt(x.var(0) + epsilon)).mean() for x in z) / len(z)
    c = 2 * sum(covariance(x) for x in z) / len(z)
    return inv * i + var * v + cov * c, {"inv": i, "var": v, "cov": c}


def directions(seed, slices, d):
    return F.normalize(generated(seed, (slices, d)), dim=1).float().double()


def rows(seed, shape, kind):
    """Rows of views: `noise` far apart, `near` all within 1e-3 of one point, `pairs` with nearly equal views."""
    views, n, d = shape
    one = generated(seed, (n, d), 1.4)
    if kind == "near":
        base = generated(seed + 90, (1, d), 1)
        return torch.stack([(base + 1e-3 * generated(seed + v, (n, d))).float().double() for v in range(views)])
    spread = 1e-3 if kind == "pairs" else 0.6
    return torch.stack([one] + [(one + generated(seed + v, (n, d), spread)).float().double() for v in range(1, views)])


def losses():
    cases = []
    for i, (method, views, n, d, kind) in enumerate([
            ("barlow-twins", 2, 12, 20, "noise"), ("barlow-twins", 2, 9, 48, "pairs"), ("barlow-twins", 4, 10, 24, "noise"),
            ("simclr", 2, 12, 20, "noise"), ("simclr", 2, 9, 33, "near"), ("simclr", 2, 16, 32, "pairs"),
            ("byol", 2, 9, 20, "noise"), ("byol", 2, 12, 40, "near"), ("simsiam", 2, 9, 20, "noise"),
            ("simsiam", 2, 12, 40, "pairs"), ("sigreg", 2, 12, 20, "noise"), ("sigreg", 3, 9, 24, "noise"),
            ("vicreg", 3, 8, 20, "noise"), ("vicreg", 5, 6, 24, "noise")]):
        seed = 20_000 + 100 * i
        z = rows(seed, (views, n, d), kind).requires_grad_()
        leaf, case = z, {"method": method, "seed": seed, "views": views, "n": n, "d": d, "kind": kind, "slices": 40}
        if method in ("byol", "simsiam"):
            leaf = rows(seed + 50, (views, n, d), kind).requires_grad_()
            loss, parts = (byol if method == "byol" else simsiam)(leaf, z)
        elif method == "sigreg":
            loss, parts = sigreg(z, directions(seed + 80, 40, d))
        else:
            loss, parts = {"barlow-twins": barlow, "simclr": simclr, "vicreg": vicreg_views}[method](z)
        loss.backward()
        case |= {"loss": rounded(loss.item()), "parts": {k: rounded(float(v)) for k, v in parts.items()},
                 "gradient": summary(leaf.grad.reshape(views * n, d))}
        cases.append(case)
    return cases


# Whole models

def head(inputs, widths, last_bias=True, hidden_bias=True, last_batch_norm=False):
    layers = []
    for i, width in enumerate(widths):
        last = i == len(widths) - 1
        layers.append(nn.Linear(inputs, width, bias=last_bias if last else hidden_bias))
        layers += [] if last else [nn.BatchNorm1d(width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, *([nn.BatchNorm1d(inputs, affine=False)] if last_batch_norm else []))


def set_parameters(named, seed=7000):
    with torch.no_grad():
        for i, (name, p) in enumerate(named):
            if p.ndim > 1:
                p.copy_(generated(seed + i, tuple(p.shape), math.sqrt(6 / p[0].numel())))
            else:
                norm = name.endswith("weight")
                p.copy_(generated(seed + i, tuple(p.shape), 0.25, 1.0 if norm else 0.0))


def network(case):
    def branch():
        parts = {"encoder": CIFARResNet([2, 2, 2, 2], 16, 2, False, None)}
        if case["projector"]:
            parts["projector"] = head(128, **case["projector"])
        return nn.ModuleDict(parts)

    model = branch()
    if case["predictor"]:
        model["predictor"] = head(case["projector"]["widths"][-1], **case["predictor"])
    if case["method"] == "supervised":
        model["head"] = nn.Linear(128, case["classes"])
    set_parameters(model.named_parameters())
    model = model.double().train()
    target = branch().double().train() if case["method"] == "byol" else None
    if target:
        state = dict(model.named_parameters())
        with torch.no_grad():
            for name, p in target.named_parameters():
                p.copy_(state[name])
    return model, target


def images(case, views):
    shape = (case["images"], 3, case["side"], case["side"])
    one = generated(case["seed"], shape, 2)
    return [one] + [(one + generated(case["seed"] + v, shape)).float().double() for v in range(1, views)]


def embed(branch, batch):
    y = [branch["encoder"](x) for x in batch]
    return torch.stack([branch["projector"](v) for v in y] if "projector" in branch else y)


def evaluate(case, model, target):
    batch = images(case, case["views"])
    z = embed(model, batch)
    if case["method"] == "supervised":
        labels = torch.from_numpy((bits(case["seed"] + 9, case["images"]) % np.uint64(case["classes"])).astype(np.int64))
        scores = model["head"](z[0])
        top1 = (scores.argmax(1) == labels).double().mean()
        return F.cross_entropy(scores, labels), {"top1": top1}
    if case["method"] in ("byol", "simsiam"):
        p = torch.stack([model["predictor"](v) for v in z])
        if target:
            with torch.no_grad():
                z = embed(target, batch)
            return byol(p, z)
        return simsiam(p, z)
    if case["method"] == "sigreg":
        return sigreg(z, directions(case["seed"] + 80, 40, z.shape[-1]))
    return {"barlow-twins": barlow, "simclr": simclr, "vicreg": vicreg_views}[case["method"]](z)


def margin(case):
    model, target = network(case)
    nearest = []
    for part in [model] + ([target] if target else []):
        for m in part.modules():
            if isinstance(m, nn.ReLU):
                m.register_forward_pre_hook(lambda _, inputs: nearest.append(inputs[0].abs().min().item()))
    with torch.no_grad():
        evaluate(case, model, target)
    return min(nearest)


def models():
    base = {"images": 8, "side": 12, "views": 2, "predictor": None, "classes": 0}
    mlp = {"last_bias": True, "hidden_bias": True, "last_batch_norm": False}
    cases = [
        base | {"method": "barlow-twins", "projector": mlp | {"widths": [64, 64, 48]}},
        base | {"method": "simclr", "projector": mlp | {"widths": [64, 32]}},
        base | {"method": "byol", "projector": mlp | {"widths": [64, 32]}, "predictor": mlp | {"widths": [64, 32]}},
        base | {"method": "simsiam",
                "projector": {"widths": [64, 64, 48], "last_bias": False, "hidden_bias": False, "last_batch_norm": True},
                "predictor": mlp | {"widths": [32, 48], "hidden_bias": False}},
        base | {"method": "sigreg", "projector": mlp | {"widths": [64, 64, 24]}},
        base | {"method": "supervised", "projector": None, "views": 1, "classes": 10},
        base | {"method": "vicreg", "projector": mlp | {"widths": [64, 64, 48]}, "views": 4},
    ]
    for case in cases:
        # The seed whose inputs of ReLUs stay farthest from 0, as in make_golden.py.
        case["seed"] = max((200_000 + 1000 * s for s in range(30)), key=lambda s: margin(case | {"seed": s}))
        model, target = network(case)
        loss, parts = evaluate(case, model, target)
        loss.backward()
        buffers = [(n, b) for n, b in model.named_buffers()]
        if target:
            buffers += [(f"target.{n}", b) for n, b in target.named_buffers()]
        case |= {"loss": rounded(loss.item()), "parts": {k: rounded(float(v)) for k, v in parts.items()},
                 "gradients": [summary(p.grad) | {"name": n} for n, p in model.named_parameters()],
                 "buffers": [summary(b) | {"name": n} for n, b in buffers]}
        print(case["method"], case["loss"], case["parts"], "margin", margin(case), flush=True)
    return cases


def average_run(case, steps=10, rate=0.002, start=0.9):
    """Ten steps of BYOL by SGD with Nesterov's momentum; the average follows after each. The rate is small, as a
    batch of 8 images amplifies rounding: at 0.02, single and double precision part by 5 % within ten steps."""
    model, target = network(case)
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=1e-5, nesterov=True)
    losses = []
    for step in range(steps):
        loss, _ = evaluate(case, model, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(rounded(loss.item()))
        tau = 1 - (1 - start) * (math.cos(math.pi * step / steps) + 1) / 2
        state = dict(model.named_parameters())
        with torch.no_grad():
            for name, p in target.named_parameters():
                p.mul_(tau).add_(state[name], alpha=1 - tau)
    print("average", losses, flush=True)
    return {"rate": rate, "start": start, "losses": losses,
            "parameters": [summary(p) | {"name": f"target.{n}"} for n, p in target.named_parameters()]}


def optimizers():
    shapes, rates = [(5, 7), (7,), (4, 3, 3, 3), (16,)], [0.01 * (1 + i % 3) for i in range(10)]
    cases = []
    for name, decay in [("sgd-nesterov", 1e-2), ("adamw", 0.05), ("constant-rate", 1e-2)]:
        params = [nn.Parameter(generated(5000 + i, shape)) for i, shape in enumerate(shapes)]
        if name == "adamw":
            optimizer = torch.optim.AdamW(params, 1, weight_decay=decay)
        else:
            groups = [{"params": params[:2]}, {"params": params[2:]}]
            optimizer = torch.optim.SGD(groups, 1, momentum=0.9, weight_decay=decay, nesterov=name == "sgd-nesterov")
        for t, rate in enumerate(rates):
            for i, p in enumerate(params):
                p.grad = generated(6000 + 10 * t + i, shapes[i], 0.3)
            for k, group in enumerate(optimizer.param_groups):
                group["lr"] = 0.05 if name == "constant-rate" and k == 1 else rate
            optimizer.step()
        cases.append({"name": name, "weight_decay": decay, "rates": rates, "shapes": shapes,
                      "parameters": [summary(p) for p in params]})
    return cases


if __name__ == "__main__":
    torch.set_num_threads(2)
    whole = models()
    golden = {"torch": torch.__version__, "losses": losses(), "models": whole,
              "average": average_run(next(c for c in whole if c["method"] == "byol")), "optimizers": optimizers()}
    path = pathlib.Path(__file__).with_name("methods.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes")
