"""A training as PyTorch does it, written from the papers and published scripts: networks, losses, optimisers.

What side_by_side.py compares the daemon with. Nothing here comes from the daemon but the specification of a
job (`spec`, as GET /jobs/ID answers it) and the tensors of its step-0 checkpoint.
"""

import math

import numpy
import torch
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

ARCHITECTURES = {
    "resnet18": (BasicBlock, [2, 2, 2, 2]),
    "resnet34": (BasicBlock, [3, 4, 6, 3]),
    "resnet50": (Bottleneck, [3, 4, 6, 3]),
}


# Networks

def encoder_of(spec):
    """torchvision's ResNet with the stem, base width and final layer of the specification; its features."""
    block, counts = ARCHITECTURES[spec["arch"]]
    width, outputs = spec["width"], spec["fc"]
    network = ResNet(block, counts)
    if spec["stem"] == "cifar":
        network.conv1 = nn.Conv2d(3, width, 3, padding=spec["stem_padding"], bias=spec["stem_bias"])
        network.maxpool = nn.Identity()
    else:
        network.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
    network.bn1 = nn.BatchNorm2d(width)
    network.inplanes = width
    for index, count in enumerate(counts):
        layer = network._make_layer(block, width << index, count, stride=1 if index == 0 else 2)
        setattr(network, f"layer{index + 1}", layer)
    pooled = (width << 3) * block.expansion
    network.fc = nn.Linear(pooled, outputs) if outputs else nn.Identity()
    return network, outputs or pooled


def head_of(spec, inputs):
    """A projector or predictor: Linear, then BatchNorm, ReLU, Linear for each further width."""
    layers = []
    for index, width in enumerate(spec["widths"]):
        is_last = index == len(spec["widths"]) - 1
        if index > 0:
            layers += [nn.BatchNorm1d(inputs), nn.ReLU()]
        layers.append(nn.Linear(inputs, width, bias=spec["last_bias"] if is_last else spec["hidden_bias"]))
        inputs = width
    if spec["last_batch_norm"]:
        layers.append(nn.BatchNorm1d(inputs, affine=False))
    return nn.Sequential(*layers)


def branch_of(spec):
    """Encoder and projector."""
    branch = nn.Module()
    branch.encoder, features = encoder_of(spec["encoder"])
    if spec["method"] != "supervised":
        branch.projector = head_of(spec["projector"], features)
    return branch, features


def build(spec, tensors, dtype=torch.float32):
    """The method's network with the checkpoint's tensors, each name and shape accounted for.

    BYOL's moving average is `target`, in training mode as the network itself, without gradients.
    """
    model, features = branch_of(spec)
    if spec["predictor"]:
        model.predictor = head_of(spec["predictor"], spec["projector"]["widths"][-1])
    if spec["method"] == "supervised":
        model.head = nn.Linear(features, len(tensors["head.bias"]))
    if spec["method"] == "byol":
        model.target = branch_of(spec)[0].requires_grad_(False)
    state = {name: value for name, value in tensors.items() if not name.startswith("optimizer.")}
    model.load_state_dict(state, strict=True)
    return model.to(dtype).train()


# Methods

# `z` are the embeddings of an image's views, the global ones first; `count` says how many those are.

def centre(z, count):
    """The mean of the global views, which every view is pulled to."""
    return torch.stack(z[:count]).mean(dim=0)


def vicreg(z, count, spec):
    """Bardes, Ponce, LeCun 2022, with the factors of the published code for two views."""
    def variance(view):
        return torch.relu(spec["gamma"] - torch.sqrt(view.var(dim=0) + spec["epsilon"])).mean()

    def covariance(view):
        centred = view - view.mean(dim=0)
        matrix = centred.T @ centred / (len(view) - 1)
        return (matrix.square().sum() - matrix.diagonal().square().sum()) / view.shape[1]

    share = 2 / len(z)
    middle = centre(z, count)
    inv = 4 * torch.stack([(view - middle).square().mean() for view in z]).mean()
    var = share * (0.5 if spec["variance"] == "mean" else 1.0) * sum(variance(view) for view in z)
    cov = share * sum(covariance(view) for view in z)
    return {"loss": spec["inv"] * inv + spec["var"] * var + spec["cov"] * cov, "inv": inv, "var": var, "cov": cov}


def barlow_twins(z, count, spec):
    """Zbontar et al. 2021, with solo-learn's scale: each view and the mean of the other global ones."""
    views = [functional.batch_norm(view, None, None, training=True, eps=1e-5) for view in z]
    on_diagonal, off_diagonal = 0, 0
    for index, view in enumerate(views):
        others = [other for place, other in enumerate(views[:count]) if place != index]
        correlation = view.T @ torch.stack(others).mean(dim=0) / len(view)
        diagonal = correlation.diagonal()
        on_diagonal = on_diagonal + (diagonal - 1).square().sum() / len(views)
        off_diagonal = off_diagonal + (correlation.square().sum() - diagonal.square().sum()) / len(views)
    return {"loss": spec["scale"] * (on_diagonal + spec["lambda"] * off_diagonal),
            "on_diagonal": on_diagonal, "off_diagonal": off_diagonal}


def simclr(z, spec):
    """NT-Xent, Chen et al. 2020: the other view of a row is to be found among all other rows."""
    rows = functional.normalize(torch.cat(z), dim=1)
    count = len(rows)
    cosines = rows @ rows.T
    scores = (cosines / spec["temperature"]).masked_fill(torch.eye(count, dtype=torch.bool), -math.inf)
    other = torch.arange(count).roll(count // 2)
    return {"loss": functional.cross_entropy(scores, other),
            "positive_similarity": cosines[torch.arange(count), other].mean(),
            "contrast_top1": (scores.argmax(dim=1) == other).to(rows.dtype).mean()}


def cosine_pairs(predictions, embeddings):
    """The mean cosine of each view's prediction with the other view's embedding, without its gradient."""
    return [functional.cosine_similarity(p, z.detach(), dim=1).mean()
            for p, z in zip(predictions, reversed(embeddings))]


def byol(predictions, averaged):
    """Grill et al. 2020."""
    first, second = cosine_pairs(predictions, averaged)
    return {"loss": (2 - 2 * first) + (2 - 2 * second), "similarity": (first + second) / 2}


def simsiam(predictions, embeddings):
    """Chen, He 2021."""
    first, second = cosine_pairs(predictions, embeddings)
    return {"loss": -(first + second) / 2, "similarity": (first + second) / 2}


def sigreg(z, count, spec, directions):
    """LeJEPA's minimal example: Balestriero, LeCun 2025. `directions`: [dimensions, slices]."""
    views = torch.stack(z)
    inv = (views - centre(z, count)).square().mean()
    knots = torch.linspace(0, 3, spec["points"], dtype=views.dtype)
    normal = torch.exp(-knots.square() / 2)
    trapezoid = torch.full_like(knots, 2 * 3 / (spec["points"] - 1))
    trapezoid[[0, -1]] /= 2
    angles = (views @ directions).unsqueeze(-1) * knots
    distance = (angles.cos().mean(dim=1) - normal).square() + angles.sin().mean(dim=1).square()
    statistic = views.shape[1] * (distance @ (trapezoid * normal)).mean()
    return {"loss": (1 - spec["lambda"]) * inv + spec["lambda"] * statistic, "inv": inv, "sigreg": statistic}


def supervised(scores, labels):
    return {"loss": functional.cross_entropy(scores, labels),
            "top1": (scores.argmax(dim=1) == labels).to(scores.dtype).mean()}


def through(network, views, scope):
    """What a network gives for each view, through BatchNorm as batches of their own or as one."""
    if scope == "per_view":
        return [network(view) for view in views]
    return list(network(torch.cat(views)).chunk(len(views)))


def losses(model, spec, views, labels, step):
    """The method's loss and its named parts for a batch of views: the global ones, then the local ones."""
    constants, method = spec["loss"], spec["method"]
    scope = constants["batch_norm"]
    if method == "supervised":
        return supervised(model.head(model.encoder(views[0])), labels)
    count = spec["views"]
    z = through(lambda batch: model.projector(model.encoder(batch)), views[:count], scope)
    if spec["local_views"]:
        z += through(lambda batch: model.projector(model.encoder(batch)), views[count:], scope)
    if method in ("byol", "simsiam"):
        predictions = through(model.predictor, z, scope)
        if method == "simsiam":
            return simsiam(predictions, z)
        with torch.no_grad():
            averaged = through(lambda batch: model.target.projector(model.target.encoder(batch)), views, scope)
        return byol(predictions, averaged)
    if method == "sigreg":
        unit = random_directions(spec["seed"], step, constants["slices"], z[0].shape[1])
        return sigreg(z, count, constants, torch.from_numpy(unit.T).to(z[0].dtype))
    if method == "simclr":
        return simclr(z, constants)
    return {"vicreg": vicreg, "barlow-twins": barlow_twins}[method](z, count, constants)


def follow(model, spec, step, steps):
    """BYOL's moving average after an optimiser step: the parameters alone, not the running statistics."""
    start, end = spec["loss"]["momentum"], spec["loss"]["momentum_end"]
    rate = end - (end - start) * (math.cos(math.pi * step / steps) + 1) / 2
    online = dict(model.named_parameters())
    with torch.no_grad():
        for name, average in model.target.named_parameters():
            average.mul_(rate).add_(online[name], alpha=1 - rate)


# Optimisers and their learning rates

class LARS(torch.optim.Optimizer):
    """You, Gitman, Ginsburg 2017, as facebookresearch/vicreg has it, or with `clip` as solo-learn."""

    def __init__(self, parameters, lr, weight_decay, momentum, trust, clip, exclude_bias_and_norm):
        super().__init__(parameters, dict(
            lr=lr, weight_decay=weight_decay, momentum=momentum, trust=trust, clip=clip,
            exclude=exclude_bias_and_norm))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                change = parameter.grad
                if not (group["exclude"] and parameter.ndim == 1):
                    change = self.adapted(parameter, change, group)
                velocity = self.state[parameter].setdefault("velocity", torch.zeros_like(parameter))
                velocity.mul_(group["momentum"]).add_(change)
                parameter.sub_(velocity, alpha=group["lr"])

    @staticmethod
    def adapted(parameter, gradient, group):
        """The decayed gradient times the trust ratio."""
        decayed = gradient + group["weight_decay"] * parameter
        size = parameter.norm()
        if not group["clip"]:
            length = decayed.norm()
            return decayed * (group["trust"] * size / length) if size > 0 and length > 0 else decayed
        length = gradient.norm()
        if size == 0 or length == 0:
            return gradient
        ratio = group["trust"] * size / (length + group["weight_decay"] * size + 1e-8)
        return decayed * (ratio / group["lr"]).clamp(max=1)


def optimizer_of(spec, model):
    """The optimiser of the specification; the second of its groups is trained at a constant rate."""
    optimizer, named = spec["optimizer"], [p for p in model.named_parameters() if p[1].requires_grad]
    is_constant = [spec["method"] == "simsiam" and name.startswith("predictor.") for name, _ in named]
    groups = [{"params": [p for (_, p), constant in zip(named, is_constant) if constant == chosen]}
              for chosen in (False, True)]
    common = {"lr": optimizer["lr"], "weight_decay": optimizer["weight_decay"]}
    if optimizer["name"] in ("adam", "adamw"):
        kind = torch.optim.Adam if optimizer["name"] == "adam" else torch.optim.AdamW
        return kind(groups, betas=tuple(optimizer["betas"]), eps=optimizer["eps"], **common)
    if optimizer["name"] == "sgd":
        return torch.optim.SGD(groups, momentum=optimizer["momentum"], nesterov=optimizer["nesterov"], **common)
    others = ("momentum", "trust", "clip", "exclude_bias_and_norm")
    return LARS(groups, **common, **{name: optimizer[name] for name in others})


def learning_rate(spec, step, steps, per_epoch):
    """Linear from 0, then constant or cosine to its end one step after the last one."""
    peak, schedule = spec["optimizer"]["lr"], spec["schedule"]
    warmup = min(schedule["warmup_epochs"] * per_epoch, steps)
    if step < warmup:
        return peak * step / warmup
    if schedule["name"] == "constant":
        return peak
    share = (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2
    return peak * (share + schedule["final_factor"] * (1 - share))


def train(model, spec, batches, steps, per_epoch):
    """Yields the named figures of each step; `batches` gives views and labels."""
    optimizer = optimizer_of(spec, model)
    for step, (views, labels) in zip(range(steps), batches):
        parts = losses(model, spec, views, labels, step)
        optimizer.zero_grad()
        parts["loss"].backward()
        gradients = [p.grad.norm() for p in model.parameters() if p.grad is not None]
        rate = learning_rate(spec, step, steps, per_epoch)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        if spec["method"] == "byol":
            follow(model, spec, step, steps)
        figures = {name: value.item() for name, value in parts.items()}
        yield figures | {"grad_norm": torch.stack(gradients).norm().item(), "lr": rate}


# SIGReg's random directions

MASK = (1 << 64) - 1


def avalanche(value):
    """The finaliser of splitmix64."""
    z = (value + 0x9E3779B97F4A7C15) & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def stream_key(seed, numbers, salt):
    """64 bits of a seed and the numbers that name a stream, filled up with zeros to five."""
    state = avalanche(seed ^ salt)
    for number in [*numbers, 0, 0, 0, 0, 0][:5]:
        state = avalanche(state * 0xBF58476D1CE4E5B9 + number + salt & MASK)
    return state


def philox(counter, key):
    """Philox4x32-10, Salmon et al. 2011. Both arguments: lists of arrays of 32-bit words in 64 bits."""
    low = numpy.uint64(0xFFFFFFFF)
    half = numpy.uint64(32)
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        p0, p1 = c0 * numpy.uint64(0xD2511F53), c2 * numpy.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = p1 >> half ^ c1 ^ k0, p1 & low, p0 >> half ^ c3 ^ k1, p0 & low
        k0, k1 = k0 + numpy.uint64(0x9E3779B9) & low, k1 + numpy.uint64(0xBB67AE85) & low
    return [c0, c1, c2, c3]


def random_directions(seed, step, slices, dimensions):
    """Unit vectors [slices, dimensions] as a function of seed and step: normal numbers, normalised.

    A stream per slice; each number takes two words of 24 bits (Box and Muller).
    """
    names = [[int.from_bytes(b"slice", "big"), step, index] for index in range(slices)]
    low = 0xFFFFFFFF

    def words(salt):
        keys = [stream_key(seed, name, salt) for name in names]
        return [numpy.array([key >> shift & low for key in keys], numpy.uint64)[:, None] for shift in (0, 32)]

    blocks = numpy.arange((dimensions + 1) // 2, dtype=numpy.uint64)[None, :]
    key, stream = words(0x9E3779B97F4A7C15), words(0xD1B54A32D192ED03)
    zeros = numpy.zeros((slices, blocks.shape[1]), numpy.uint64)
    drawn = philox([blocks + zeros, zeros, stream[0] + zeros, stream[1] + zeros], key)
    bits = (numpy.stack(drawn, axis=2).reshape(slices, -1, 2) >> numpy.uint64(8)).astype(numpy.float64)
    radius = numpy.sqrt(-2 * numpy.log((bits[..., 0] + 1) * 2.0 ** -24))
    normal = (radius * numpy.cos(2 * math.pi * bits[..., 1] * 2.0 ** -24))[:, :dimensions]
    return normal / numpy.linalg.norm(normal, axis=1, keepdims=True)
