"""Writes the golden numbers that NeuralNetTests compares with: layers, losses, optimisers and whole models.

    python make_golden.py            # needs torch and torchvision; writes golden.json beside this script

Inputs and summaries are those of `generator.py`. Everything is computed in float64 from float32 inputs, except the
losses of the Adam run, which are PyTorch's own float32.
"""
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock

from generator import bits, generated, summary, uniform

ADAM_IMAGES = 12
ADAM_RATE = 2e-5


# Layers

def convolutions():
    cases = []
    shapes = [  # n, c, h, w, k, kernel, stride, padding, bias
        (3, 3, 12, 12, 16, 3, 1, 0, True), (2, 3, 9, 9, 20, 3, 1, 2, False), (2, 3, 11, 11, 16, 7, 2, 3, True),
        (2, 16, 10, 10, 16, 3, 1, 1, False), (3, 16, 15, 15, 32, 3, 2, 1, False), (2, 32, 8, 8, 32, 3, 2, 1, False),
        (2, 16, 15, 15, 32, 1, 2, 0, False), (2, 32, 7, 7, 48, 1, 1, 0, True), (2, 24, 6, 6, 40, 3, 1, 1, True),
        (2, 16, 7, 7, 16, 5, 1, 2, False), (3, 64, 4, 4, 64, 3, 1, 1, False), (2, 64, 30, 30, 64, 3, 1, 1, False),
        (1, 16, 5, 5, 16, 3, 3, 1, False),
    ]
    for i, (n, c, h, w, k, kernel, stride, padding, bias) in enumerate(shapes):
        x = generated(10 * i + 1, (n, c, h, w)).requires_grad_()
        weight = generated(10 * i + 2, (k, c, kernel, kernel), 1 / math.sqrt(c * kernel * kernel)).requires_grad_()
        b = generated(10 * i + 3, (k,)).requires_grad_() if bias else None
        y = F.conv2d(x, weight, b, stride, padding)
        y.backward(generated(10 * i + 4, tuple(y.shape)))
        cases.append({
            "seed": 10 * i, "n": n, "c": c, "h": h, "w": w, "k": k, "kernel": kernel, "stride": stride,
            "padding": padding, "bias": bias, "output": summary(y), "d_input": summary(x.grad),
            "d_weight": summary(weight.grad), "d_bias": summary(b.grad) if bias else None})
    return cases


def batch_norms():
    cases = []
    for i, (n, c, side, per_view, relu, residual) in enumerate([
            (6, 16, 5, False, True, False), (6, 16, 5, True, True, True), (4, 32, 3, False, False, False),
            (8, 40, 1, False, True, False), (8, 20, 1, True, True, False), (4, 16, 7, False, True, True)]):
        seed = 1000 + 10 * i
        x = generated(seed + 1, (n, c, side, side), 1.5, 0.3).requires_grad_()
        identity = generated(seed + 5, (n, c, side, side)).requires_grad_()
        norm = nn.BatchNorm2d(c).double()
        with torch.no_grad():
            norm.weight.copy_(generated(seed + 2, (c,), 0.25, 1))
            norm.bias.copy_(generated(seed + 3, (c,), 0.25))
        parts = torch.chunk(x, 2) if per_view else [x]
        y = torch.cat([norm(part) for part in parts])
        y = y + identity if residual else y
        y = F.relu(y) if relu else y
        y.backward(generated(seed + 4, (n, c, side, side)))
        cases.append({
            "seed": seed, "n": n, "c": c, "side": side, "per_view": per_view, "relu": relu, "residual": residual,
            "output": summary(y), "d_input": summary(x.grad), "d_weight": summary(norm.weight.grad),
            "d_bias": summary(norm.bias.grad), "d_identity": summary(identity.grad) if residual else None,
            "running_mean": summary(norm.running_mean), "running_var": summary(norm.running_var),
            "evaluated": summary(norm.eval()(x))})
    return cases


def linears():
    cases = []
    for i, (n, inputs, outputs, bias) in enumerate([(6, 32, 48, True), (5, 20, 10, True), (16, 64, 33, False)]):
        seed = 2000 + 10 * i
        x = generated(seed + 1, (n, inputs)).requires_grad_()
        weight = generated(seed + 2, (outputs, inputs), 1 / math.sqrt(inputs)).requires_grad_()
        b = generated(seed + 3, (outputs,)).requires_grad_() if bias else None
        y = F.linear(x, weight, b)
        y.backward(generated(seed + 4, (n, outputs)))
        cases.append({
            "seed": seed, "n": n, "inputs": inputs, "outputs": outputs, "bias": bias, "output": summary(y),
            "d_input": summary(x.grad), "d_weight": summary(weight.grad), "d_bias": summary(b.grad) if bias else None})
    return cases


def pools():
    cases = []
    for i, (n, c, side) in enumerate([(3, 16, 4), (2, 40, 7)]):
        seed = 3000 + 10 * i
        x = generated(seed + 1, (n, c, side, side)).requires_grad_()
        y = F.adaptive_avg_pool2d(x, 1).flatten(1)
        y.backward(generated(seed + 2, (n, c)))
        cases.append({"seed": seed, "n": n, "c": c, "side": side, "output": summary(y), "d_input": summary(x.grad)})
    return cases


# Loss

def vicreg(z1, z2, inv, var, cov, gamma, epsilon, variance, **_):
    """The seed's formula, with the published variants: epsilon under the root, variance term summed or averaged."""
    n, d = z1.shape

    def deviation(z):
        return torch.sqrt(z.var(0) + epsilon) if epsilon > 0 else z.std(0)

    def hinge(z):
        return F.relu(gamma - deviation(z)).mean()

    def covariance(z):
        c = z - z.mean(0)
        c = c.T @ c / (n - 1)
        return ((c * c).sum() - (c.diagonal() ** 2).sum()) / d

    mse = F.mse_loss(z1, z2)
    v = (hinge(z1) + hinge(z2)) * (0.5 if variance == "mean" else 1)
    c = covariance(z1) + covariance(z2)
    std = torch.cat([deviation(z1), deviation(z2)])
    return inv * mse + var * v + cov * c, {
        "inv": mse.item(), "var": v.item(), "cov": c.item(), "std_mean": std.mean().item(), "std_min": std.min().item()}


def diagnostics(z1, z2):
    """Mean absolute off-diagonal correlation over both views, and RankMe (Garrido et al. 2023) of view one."""
    def correlation(z):
        c = torch.corrcoef(z.T)
        return ((c.abs().sum() - c.diagonal().abs().sum()) / (c.numel() - len(c))).item()

    p = torch.linalg.svdvals(z1)
    p = p / p.sum() + 1e-7
    return {"corr": (correlation(z1) + correlation(z2)) / 2, "rankme": torch.exp(-(p * torch.log(p)).sum()).item()}


SEED_LOSS = {"inv": 25, "var": 25, "cov": 1, "gamma": 1, "epsilon": 0, "variance": "sum", "per_view": False}
PAPER_LOSS = SEED_LOSS | {"epsilon": 1e-4, "variance": "mean", "per_view": True}
SOLO_LOSS = SEED_LOSS | {"epsilon": 1e-4, "per_view": True}


def losses():
    cases = []
    for i, (n, d, settings, constant) in enumerate([
            (8, 32, SEED_LOSS, False), (8, 32, PAPER_LOSS, False), (16, 20, SOLO_LOSS, False), (2, 16, SEED_LOSS, False),
            (12, 48, SEED_LOSS | {"inv": 3, "var": 7, "cov": 2, "gamma": 0.7}, False),
            (8, 32, SEED_LOSS, True), (40, 24, SEED_LOSS, False)]):
        seed = 4000 + 10 * i
        z1 = generated(seed + 1, (n, d), 1.6)
        z2 = z1.clone() + generated(seed + 2, (n, d), 0.7)
        z2 = z2.float().double()
        if constant:  # a collapsed dimension: std = 0, where its gradient is defined as 0
            z1[:, 3] = 0.5
        z1.requires_grad_(), z2.requires_grad_()
        loss, parts = vicreg(z1, z2, **settings)
        loss.backward()
        checks = {} if constant else diagnostics(z1, z2)
        cases.append({"seed": seed, "n": n, "d": d, "constant": constant, "settings": settings, "loss": loss.item(),
                      **parts, **checks, "d_z1": summary(z1.grad), "d_z2": summary(z2.grad)})
    return cases


# Optimisers

class LARS:
    """Written from the formulas of the two published variants, in float64."""

    def __init__(self, momentum, trust, weight_decay, clip, exclude):
        self.momentum, self.trust, self.decay, self.clip, self.exclude = momentum, trust, weight_decay, clip, exclude
        self.buffers = None

    def step(self, params, grads, lr):
        self.buffers = self.buffers or [torch.zeros_like(p) for p in params]
        for p, g, buffer in zip(params, grads, self.buffers):
            if not (self.exclude and p.ndim == 1):
                decayed = g + self.decay * p
                if self.clip:  # solo-learn: norms added, epsilon, ratio clipped at the learning rate
                    if p.norm() != 0 and g.norm() != 0:
                        ratio = self.trust * p.norm() / (g.norm() + self.decay * p.norm() + 1e-8)
                        g = decayed * min(ratio / lr, 1)
                else:  # facebookresearch/vicreg: norm of the decayed gradient
                    positive = p.norm() > 0 and decayed.norm() > 0
                    g = decayed * (self.trust * p.norm() / decayed.norm() if positive else 1)
            buffer.mul_(self.momentum).add_(g)
            p.sub_(lr * buffer)


def optimizers():
    shapes, steps = [(5, 7), (7,), (4, 3, 3, 3), (16,)], 6
    rates = [0.01, 0.02, 0.02, 0.015, 0.01, 0.005]
    adam = {"betas": [0.9, 0.999], "eps": 1e-8}
    cases = [
        {"name": "adam", "weight_decay": 1e-6} | adam, {"name": "adam", "weight_decay": 0.1, "betas": [0.8, 0.95], "eps": 1e-3},
        {"name": "adamw", "weight_decay": 0.05} | adam, {"name": "sgd", "weight_decay": 1e-2, "momentum": 0.0},
        {"name": "sgd", "weight_decay": 1e-2, "momentum": 0.9},
        {"name": "lars", "weight_decay": 1e-2, "momentum": 0.9, "trust": 0.001, "clip": False, "exclude": True},
        {"name": "lars", "weight_decay": 1e-2, "momentum": 0.9, "trust": 0.001, "clip": False, "exclude": False},
        {"name": "lars", "weight_decay": 1e-2, "momentum": 0.9, "trust": 0.02, "clip": True, "exclude": True},
    ]
    for case in cases:
        params = [generated(5000 + i, shape) for i, shape in enumerate(shapes)]
        params[3].zero_()  # LARS with a zero norm: no adaptation
        if case["name"] == "lars":
            optimizer = LARS(case["momentum"], case["trust"], case["weight_decay"], case["clip"], case["exclude"])
        else:
            params = [nn.Parameter(p) for p in params]
            if case["name"] == "sgd":
                optimizer = torch.optim.SGD(params, 1, momentum=case["momentum"], weight_decay=case["weight_decay"])
            else:
                kind = torch.optim.Adam if case["name"] == "adam" else torch.optim.AdamW
                optimizer = kind(params, 1, betas=tuple(case["betas"]), eps=case["eps"], weight_decay=case["weight_decay"])
        for t in range(steps):
            grads = [generated(6000 + 10 * t + i, shape, 0.3) for i, shape in enumerate(shapes)]
            if case["name"] == "lars":
                optimizer.step(params, grads, rates[t])
            else:
                for p, g in zip(params, grads):
                    p.grad = g
                optimizer.param_groups[0]["lr"] = rates[t]
                optimizer.step()
        case |= {"shapes": shapes, "rates": rates, "parameters": [summary(p) for p in params]}
    return cases


# Whole models

class CIFARResNet(torchvision.models.ResNet):
    """torchvision's BasicBlock ResNet with a settable width, a 3x3 stride-1 stem and no max-pool."""

    def __init__(self, blocks, width, stem_padding, stem_bias, fc):
        super().__init__(BasicBlock, blocks, num_classes=fc or 1)
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, 3, 1, stem_padding, bias=stem_bias)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity()
        for i, count in enumerate(blocks):
            setattr(self, f"layer{i + 1}", self._make_layer(BasicBlock, width << i, count, stride=1 if i == 0 else 2))
        self.fc = nn.Linear(width * 8, fc) if fc else nn.Identity()


def projector(inputs, widths, last_bias):
    layers = []
    for i, width in enumerate(widths):
        last = i == len(widths) - 1
        layers.append(nn.Linear(inputs, width, bias=last_bias or not last))
        layers += [] if last else [nn.BatchNorm1d(width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers)


def network(case):
    blocks = {"resnet18": [2, 2, 2, 2], "resnet34": [3, 4, 6, 3]}[case["arch"]]
    encoder = CIFARResNet(blocks, case["width"], case["stem_padding"], case["stem_bias"], case["fc"])
    model = nn.ModuleDict({
        "encoder": encoder,
        "projector": projector(case["fc"] or case["width"] * 8, case["widths"], case["last_bias"])})
    with torch.no_grad():
        for i, (name, p) in enumerate(model.named_parameters()):
            if p.ndim > 1:
                p.copy_(generated(7000 + i, tuple(p.shape), math.sqrt(6 / p[0].numel())))
            else:
                norm = name.endswith("weight")
                p.copy_(generated(7000 + i, tuple(p.shape), 0.25, 1.0 if norm else 0.0))
    return model


def views(case):
    shape = (case["images"], 3, case["side"], case["side"])
    one = generated(case["views"], shape, 2)
    return one, (one + generated(case["views"] + 1, shape, 1)).float().double()


def margin(model, case):
    """How near any input of a ReLU, or any hinge of the variance term, comes to its kink."""
    nearest = []
    hooks = [
        m.register_forward_pre_hook(lambda _, inputs: nearest.append(inputs[0].abs().min().item()))
        for m in model.modules() if isinstance(m, nn.ReLU)]
    with torch.no_grad():
        z = embed(model, case, *views(case))
    for hook in hooks:
        hook.remove()
    return min(nearest + [(v.std(0) - 1).abs().min().item() for v in z])


def embed(model, case, one, two):
    if case["loss"]["per_view"]:
        return [model["projector"](model["encoder"](x)) for x in (one, two)]
    return torch.chunk(model["projector"](model["encoder"](torch.cat([one, two]))), 2)


def models():
    """Rounding that carries one of millions of ReLU inputs over its kink changes gradients by up to 1 %, in PyTorch
    as here; so the seeds of the views are those among some tens whose `margin` is the widest."""
    base = {"arch": "resnet18", "width": 16, "stem_padding": 0, "stem_bias": True, "fc": 512, "images": 6, "side": 16,
            "widths": [1024] * 4, "last_bias": True, "loss": SEED_LOSS}
    cases = [
        base | {"name": "seed", "width": 64, "views": 101_000},
        base | {"name": "paper", "widths": [256] * 3, "last_bias": False, "loss": PAPER_LOSS, "images": 8,
                "views": 158_000},
        base | {"name": "solo-cifar", "stem_padding": 2, "stem_bias": False, "fc": None, "widths": [256] * 3, "side": 20,
                "loss": SOLO_LOSS, "views": 100_000},
        base | {"name": "resnet34", "arch": "resnet34", "fc": 40, "widths": [72, 64], "stem_padding": 1,
                "images": 8, "side": 8, "views": 121_000},
    ]
    for case in cases:
        model = network(case).double().train()
        one, two = views(case)
        z1, z2 = embed(model, case, one, two)
        loss, parts = vicreg(z1, z2, **case["loss"])
        loss.backward()
        double = {n: p.grad for n, p in model.named_parameters()}
        case |= {"loss_value": loss.item(), **parts, "embedding": summary(torch.cat([z1, z2])),
                 "gradients": [summary(p.grad) | {"name": n} for n, p in model.named_parameters()],
                 "buffers": [summary(b) | {"name": n} for n, b in model.named_buffers()],
                 "features": summary(model.eval()["encoder"](one))}
        single = network(case).float().train()
        vicreg(*embed(single, case, one.float(), two.float()), **case["loss"])[0].backward()
        errors = {n: ((p.grad - double[n]).norm() / double[n].norm()).item() for n, p in single.named_parameters()}
        real = {n: e for n, e in errors.items() if double[n].norm() > 1e-9}
        print(case["name"], loss.item(), "margin", margin(network(case).double().train(), case),
              "worst relative error of PyTorch's float32", max(real.values()), flush=True)
    return cases


def adam_run(case, steps=10):
    """The losses of a training on one batch in PyTorch's own float32.

    Adam's first steps have the size of the rate however small a gradient is, so they amplify rounding: at 2e-4,
    PyTorch's default and channels-last memory formats part by 4e-3 within ten steps; at 2e-5 by 1e-4."""
    case = case | {"images": ADAM_IMAGES}
    model = network(case).float().train()
    optimizer = torch.optim.Adam(model.parameters(), ADAM_RATE, weight_decay=1e-6)
    one, two = (v.float() for v in views(case))
    values = []
    for _ in range(steps):
        loss, _ = vicreg(*embed(model, case, one, two), **case["loss"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    print("adam", values, flush=True)
    return values


def classifiers():
    seed, n, features, classes, steps = 9000, 12, 20, 10, 5
    head = nn.Linear(features, classes).double()
    labels = (bits(seed + 3, n) % np.uint64(classes)).astype(np.int64)
    with torch.no_grad():
        head.weight.copy_(generated(seed + 1, (classes, features), 0.5))
        head.bias.copy_(generated(seed + 2, (classes,), 0.5))
    optimizer = torch.optim.SGD(head.parameters(), 0.1, momentum=0.9, weight_decay=1e-3)
    values = []
    for step in range(steps):
        loss = F.cross_entropy(head(generated(seed + 10 + step, (n, features), 2)), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    return {"seed": seed, "n": n, "features": features, "classes": classes, "losses": values,
            "weight": summary(head.weight), "bias": summary(head.bias)}


if __name__ == "__main__":
    torch.set_num_threads(2)
    torch.manual_seed(0)
    whole = models()
    golden = {
        "torch": torch.__version__, "torchvision": torchvision.__version__, "convolutions": convolutions(),
        "batch_norms": batch_norms(), "linears": linears(), "pools": pools(), "losses": losses(),
        "optimizers": optimizers(), "models": whole, "adam_losses": adam_run(whole[0]), "adam_images": ADAM_IMAGES,
        "adam_rate": ADAM_RATE, "classifier": classifiers(),
        "generator": [float(v) for v in uniform(42, 5)],
    }
    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes")
