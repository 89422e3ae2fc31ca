"""Writes the golden numbers of local views: the losses of the methods that take them with their gradients, and whole
steps on a narrow ResNet-18.

    python make_local_views.py       # needs torch and torchvision; writes local_views.json beside this script

The network is called once per size of view, the global ones first, as PyTorch users train with crops of several sizes:
BatchNorm normalises each call by its own batch, and its running statistics follow both. Everything is computed in
float64 from float32 inputs, as `make_golden.py` does; networks and summaries are those of `make_methods.py`.
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

from generator import generated, rounded
from make_methods import directions, images, network, rows, summary


# Losses: z is [global + local views, n, d].

def invariance(z, count):
    """Mean squared distance of every view, local ones included, from the mean of the global ones."""
    return (z - z[:count].mean(0)).square().mean()


def vicreg(z, count, inv=25, var=25, cov=1, gamma=1, epsilon=1e-4):
    def covariance(v):
        c = v - v.mean(0)
        c = c.T @ c / (len(v) - 1)
        return ((c * c).sum() - (c.diagonal() ** 2).sum()) / v.shape[1]

    i = 4 * invariance(z, count)
    v = 2 * sum(F.relu(gamma - torch.sqrt(x.var(0) + epsilon)).mean() for x in z) / len(z)
    c = 2 * sum(covariance(x) for x in z) / len(z)
    return inv * i + var * v + cov * c, {"inv": i, "var": v, "cov": c}


def barlow(z, count, lam=0.0051, scale=0.1):
    """Each view correlated with the mean of the global ones, a global one with the mean of the others."""
    y = [F.batch_norm(v, None, None, training=True, eps=1e-5) for v in z]
    on, off = 0, 0
    for i, own in enumerate(y):
        others = [v for j, v in enumerate(y[:count]) if j != i]
        c = own.T @ (sum(others) / len(others)) / len(own)
        on = on + ((c.diagonal() - 1) ** 2).sum() / len(y)
        off = off + ((c * c).sum() - (c.diagonal() ** 2).sum()) / len(y)
    return scale * (on + lam * off), {"on_diagonal": on, "off_diagonal": off}


def sigreg(z, count, u, lam=0.02, points=17):
    t = torch.linspace(0, 3, points, dtype=torch.float64)
    weights = torch.full((points,), 2 * 3 / (points - 1), dtype=torch.float64)
    weights[[0, -1]] /= 2
    phi = torch.exp(-t.square() / 2)
    x = (z @ u.T).unsqueeze(-1) * t
    err = (x.cos().mean(-3) - phi).square() + x.sin().mean(-3).square()
    statistic = ((err @ (weights * phi)) * z.shape[1]).mean()
    inv = invariance(z, count)
    return (1 - lam) * inv + lam * statistic, {"inv": inv, "sigreg": statistic}


def loss_of(method, z, count, seed):
    if method == "sigreg":
        return sigreg(z, count, directions(seed + 80, 40, z.shape[-1]))
    return (vicreg if method == "vicreg" else barlow)(z, count)


def losses():
    cases = []
    for i, (method, views, local, n, d) in enumerate([
            ("vicreg", 2, 3, 8, 20), ("vicreg", 3, 1, 6, 24), ("barlow-twins", 2, 2, 10, 24),
            ("barlow-twins", 3, 2, 9, 20), ("sigreg", 2, 3, 9, 24)]):
        seed = 40_000 + 100 * i
        z = rows(seed, (views + local, n, d), "noise").requires_grad_()
        loss, parts = loss_of(method, z, views, seed)
        loss.backward()
        cases.append({
            "method": method, "seed": seed, "views": views, "local": local, "n": n, "d": d, "kind": "noise",
            "slices": 40, "loss": rounded(loss.item()), "parts": {k: rounded(v.item()) for k, v in parts.items()},
            "gradient": summary(z.grad.reshape(-1, d))})
    return cases


# Whole steps

def local_images(case):
    shape = (case["images"], 3, case["local_side"], case["local_side"])
    return [generated(case["seed"] + 100 + v, shape, 2) for v in range(case["local"])]


def through(model, batch, scope):
    def call(x):
        return model["projector"](model["encoder"](x))

    if scope == "per_view":
        return torch.stack([call(x) for x in batch])
    return call(torch.cat(batch)).reshape(len(batch), len(batch[0]), -1)


def evaluate(case, model):
    z = torch.cat([through(model, images(case, case["views"]), case["batch_norm"]),
                   through(model, local_images(case), case["batch_norm"])])
    return loss_of(case["method"], z, case["views"], case["seed"])


def margin(case):
    model, _ = network(case)
    nearest = []
    for m in model.modules():
        if isinstance(m, nn.ReLU):
            m.register_forward_pre_hook(lambda _, inputs: nearest.append(inputs[0].abs().min().item()))
    with torch.no_grad():
        evaluate(case, model)
    return min(nearest)


def models():
    mlp = {"last_bias": True, "hidden_bias": True, "last_batch_norm": False}
    base = {"images": 8, "side": 12, "views": 2, "local": 3, "local_side": 9, "predictor": None, "classes": 0,
            "batch_norm": "per_view", "projector": mlp | {"widths": [64, 64, 48]}}
    cases = [base | {"method": "vicreg"}, base | {"method": "vicreg", "batch_norm": "concatenated", "local": 2},
             base | {"method": "barlow-twins", "views": 3, "local": 2},
             base | {"method": "sigreg", "projector": mlp | {"widths": [64, 64, 24]}}]
    for case in cases:
        # The seed whose inputs of ReLUs stay farthest from 0, as in make_golden.py.
        case["seed"] = max((300_000 + 1000 * s for s in range(30)), key=lambda s: margin(case | {"seed": s}))
        model, _ = network(case)
        loss, parts = evaluate(case, model)
        loss.backward()
        case |= {"loss": rounded(loss.item()), "parts": {k: rounded(v.item()) for k, v in parts.items()},
                 "gradients": [summary(p.grad) | {"name": n} for n, p in model.named_parameters()],
                 "buffers": [summary(b) | {"name": n} for n, b in model.named_buffers()]}
        print(case["method"], case["batch_norm"], case["loss"], case["parts"], "margin", margin(case), flush=True)
    return cases


if __name__ == "__main__":
    torch.set_num_threads(2)
    golden = {"torch": torch.__version__, "models": models(), "losses": losses()}
    path = pathlib.Path(__file__).with_name("local_views.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes")
