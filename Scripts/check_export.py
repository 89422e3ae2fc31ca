"""Checks exported models against PyTorch, torchvision and onnxruntime.

    python Scripts/check_export.py .build/release/vicregd

Uploads networks of torchvision as models, has trainings begin with them and exports these before their first step:
every tensor must have its bytes, and the features of each must be PyTorch's.

Then trains some networks for a few steps, exports each as safetensors and ONNX, and compares the features of 100
images of Fashion-MNIST: torchvision's network with the tensors of the safetensors file, and onnxruntime with
the ONNX file. `onnx.checker` must accept each. Needs torch, torchvision, safetensors, onnx and onnxruntime.
"""

import argparse
import gzip
import io
import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import save_file

from daemon import daemon, fetch

IMAGES = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"
TOLERANCE = 1e-4
CIFAR = {"stem": "cifar", "stem_padding": 1, "stem_bias": False}
CASES = [
    ("resnet18, cifar stem", 32, {"arch": "resnet18", "width": 64, "fc": 512}),
    ("resnet18, padded stem without bias, no fc", 32, {"arch": "resnet18", "width": 48, "fc": None, **CIFAR}),
    ("resnet18, cifar stem at 64 px", 64, {"arch": "resnet18", "width": 16, "fc": None, **CIFAR}),
    ("resnet18, imagenet stem at 64 px", 64, {"arch": "resnet18", "width": 64, "stem": "imagenet", "fc": 10}),
    ("resnet34, imagenet stem at 45 px", 45, {"arch": "resnet34", "width": 16, "stem": "imagenet", "fc": None}),
    ("resnet50, imagenet stem at 64 px", 64, {"arch": "resnet50", "width": 64, "stem": "imagenet", "fc": None}),
    ("resnet50, cifar stem, wide output", 32, {"arch": "resnet50", "width": 32, "fc": 96, "stem_padding": 2}),
]
MODELS = [("resnet18", 32), ("resnet50", 64)]
METHODS = ["vicreg", "barlow-twins", "byol", "supervised"]


def real_images(count, side):
    """The first test images as `[count, 3, side, side]` in [0, 1], padded to 32 pixels and resized."""
    with gzip.open(IMAGES) as file:
        data = numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 1, 28, 28)[:count]
    images = torch.nn.functional.pad(torch.from_numpy(data.copy()).float() / 255, (2, 2, 2, 2))
    if side != 32:
        images = torch.nn.functional.interpolate(images, (side, side), mode="bilinear", antialias=True)
    return images.clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def reference(path):
    """torchvision's network with the tensors of a safetensors file, and the file's metadata."""
    with safe_open(path, "pt") as file:
        meta, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
    width, fc = int(meta["width"]), json.loads(meta["fc"])
    network = torchvision.models.resnet.ResNet(*{
        "resnet18": (torchvision.models.resnet.BasicBlock, [2, 2, 2, 2]),
        "resnet34": (torchvision.models.resnet.BasicBlock, [3, 4, 6, 3]),
        "resnet50": (torchvision.models.resnet.Bottleneck, [3, 4, 6, 3]),
    }[meta["arch"]])
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Conv2d):
                scaled = lambda n: n if n == 3 else n * width // 64
                setattr(module, name, torch.nn.Conv2d(
                    scaled(child.in_channels), scaled(child.out_channels), child.kernel_size, child.stride,
                    child.padding, bias=False))
            elif isinstance(child, torch.nn.BatchNorm2d):
                setattr(module, name, torch.nn.BatchNorm2d(child.num_features * width // 64))
    if meta["stem"] == "cifar":
        network.conv1 = torch.nn.Conv2d(
            3, width, 3, 1, int(meta["stem_padding"]), bias=meta["stem_bias"] == "true")
        network.maxpool = torch.nn.Identity()
    pooled = network.fc.in_features * width // 64
    network.fc = torch.nn.Linear(pooled, fc) if fc else torch.nn.Identity()
    network.load_state_dict(tensors)
    return network.eval(), meta


def features(network, meta, images):
    """Every layer's output by its name."""
    mean, std = (torch.tensor(json.loads(meta[key])).float().view(1, 3, 1, 1) for key in ("mean", "std"))
    found = {}
    network.avgpool.register_forward_hook(lambda m, i, o: found.update(pooled=torch.flatten(o, 1)))
    with torch.no_grad():
        output = network((images - mean) / std)
    return {**found, **({"fc": output} if meta["fc"] != "null" else {})}


def part_of_method(path, value):
    """`embedding` of a projector, or `logits` of a head, from the tensors of a whole model."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        spec = json.loads(file.metadata()["spec"])
    if spec["method"] == "supervised":
        return {"logits": value @ tensors["head.weight"].T + tensors["head.bias"]}
    last = len(spec["projector"]["widths"]) - 1
    for index in range(last + 1):
        name = f"projector.{3 * index}"
        value = torch.nn.functional.linear(value, tensors[f"{name}.weight"], tensors.get(f"{name}.bias"))
        norm = f"projector.{3 * index + 1}"
        if f"{norm}.running_mean" in tensors:
            value = torch.nn.functional.batch_norm(
                value, tensors[f"{norm}.running_mean"], tensors[f"{norm}.running_var"],
                tensors.get(f"{norm}.weight"), tensors.get(f"{norm}.bias"))
        if index < last:
            value = torch.relu(value)
    return {"embedding": value}


def difference(a, b):
    """The largest difference of two arrays, relative to the largest value."""
    return float(numpy.abs(numpy.asarray(a) - numpy.asarray(b)).max() / numpy.abs(numpy.asarray(b)).max())


def finished(url, body):
    """A job that is queued and has succeeded."""
    job = json.loads(fetch(f"{url}/jobs", body))
    while job["state"] not in ("succeeded", "failed", "cancelled"):
        time.sleep(0.2)
        job = json.loads(fetch(f"{url}/jobs/{job['id']}"))
    if job["state"] != "succeeded":
        sys.exit(f"{job['id']}: {job['state']} {job['message']}")
    return job


def train(url, side, encoder, method):
    spec = {
        "preset": "small", "method": method, "dataset": {"name": "fashion-mnist", "limit": 64},
        "image_size": side, "encoder": encoder, "batch_size": 16, "epochs": 2, "max_steps": 6}
    if method != "supervised":
        spec["projector"] = {"widths": [64, 48], "last_batch_norm": method == "barlow-twins"}
    if method == "byol":
        spec["predictor"] = {"widths": [64, 48]}
    return finished(url, {"kind": "train", "spec": spec})["id"]


def check(url, folder, name, side, encoder, method, count):
    """Prints a line per output; returns the largest difference."""
    job = train(url, side, encoder, method)
    paths = {}
    for part in ("encoder", "all"):
        for form in ("safetensors", "onnx"):
            paths[part, form] = str(Path(folder, f"{job}-{part}.{form}"))
            Path(paths[part, form]).write_bytes(fetch(f"{url}/jobs/{job}/export?format={form}&part={part}"))
    images = real_images(count, side)
    network, meta = reference(paths["encoder", "safetensors"])
    expected = features(network, meta, images)
    expected |= part_of_method(paths["all", "safetensors"], expected.get("fc", expected["pooled"]))
    worst = 0
    for part in ("encoder", "all"):
        path = paths[part, "onnx"]
        onnx.checker.check_model(path, full_check=True)
        onnx_meta = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        missing = {"method", "preset", "dataset", "mean", "std", "digest", "host", "image_size"} - onnx_meta.keys()
        if missing or missing - meta.keys():
            sys.exit(f"{name}: the metadata lacks {sorted(missing)}")
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        outputs = [output.name for output in session.get_outputs()]
        for batch in (1, 7, count):
            found = dict(zip(outputs, session.run(None, {"images": images[:batch].numpy()})))
            for output in outputs:
                error = difference(found[output], expected[output][:batch])
                worst = max(worst, error)
                if batch == count:
                    print(f"{name}, {method}, {part}: {output} {list(found[output].shape)} {error:.1e}")
    return worst


def dataset_of(url, meta):
    """The metadata with the mean and deviation of Fashion-MNIST as the daemon normalises it."""
    dataset = json.loads(fetch(f"{url}/datasets/fashion-mnist"))
    return {**meta, **{key: json.dumps(dataset[key]) for key in ("mean", "std")}}


def check_model(url, folder, arch, side):
    """Uploads torchvision's network; returns the largest difference of features that came of it."""
    torch.manual_seed(7)
    network = getattr(torchvision.models, arch)()
    with torch.no_grad():
        for _ in range(20):    # running statistics of their own
            network(real_images(64, side) * 4 - 1)
    network.eval()
    state = network.state_dict()
    path = Path(folder, f"{arch}.safetensors")
    save_file(state, path)
    # The evaluation shows images as they are stored, so that nothing is resized.
    for name, query in ((arch, f"image_size={side}"), (f"{arch}-32", "image_size=32")):
        request = urllib.request.Request(f"{url}/models/{name}?{query}", path.read_bytes(), method="PUT")
        with urllib.request.urlopen(request) as answer:
            model = json.loads(answer.read())
        expected = {
            "arch": arch, "stem": "imagenet", "width": 64, "fc": 1000, "bytes": path.stat().st_size,
            "parameters": sum(value.numel() for value in network.parameters())}
        if answer.status != 201 or any(model[key] != value for key, value in expected.items()):
            sys.exit(f"{arch}: the model is {model}, not {expected}")
    spec = {
        "preset": "small", "init_from": {"model": arch}, "image_size": side, "batch_size": 8, "max_steps": 1,
        "encoder": {"arch": arch, "stem": "imagenet", "width": 64, "fc": 1000},
        "dataset": {"name": "fashion-mnist", "limit": 16}, "projector": {"widths": [64, 48]},
        "checkpoint": {"initial": True, "every_epochs": 10}}
    job = finished(url, {"kind": "train", "spec": spec})["id"]
    first = f"{url}/jobs/{job}/export?checkpoint=step-00000000.safetensors.gz"
    out = Path(folder, f"{arch}-out.safetensors")
    out.write_bytes(fetch(first))
    with safe_open(out, "pt") as file:
        meta, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
    same = [name for name in state if state[name].numpy().tobytes() == tensors[name].numpy().tobytes()]
    print(f"model {arch}: {len(same)} of {len(state)} tensors have their bytes")
    if set(tensors) != set(state) or len(same) != len(state):
        sys.exit(f"{arch}: other tensors came out than went in")
    images = real_images(100, side)
    expected = features(network, meta, images)
    session = onnxruntime.InferenceSession(fetch(f"{first}&format=onnx"), providers=["CPUExecutionProvider"])
    found = dict(zip(
        [output.name for output in session.get_outputs()], session.run(None, {"images": images.numpy()})))
    worst = max(difference(found[name], expected[name]) for name in found)
    print(f"model {arch}, onnx: {sorted(found)} {worst:.1e}")
    for layer in ("pooled", "fc"):
        spec = {
            "checkpoint": {"model": f"{arch}-32"}, "layer": layer, "split": "test",
            "dataset": {"name": "fashion-mnist", "limit": 100}}
        job = finished(url, {"kind": "embed", "spec": spec})["id"]
        rows = numpy.load(io.BytesIO(fetch(f"{url}/jobs/{job}/artifacts/embeddings.npy")))
        error = difference(rows, features(network, dataset_of(url, meta), real_images(100, 32))[layer])
        worst = max(worst, error)
        print(f"model {arch}, embed: {layer} {list(rows.shape)} {error:.1e}")
    spec = {
        "checkpoint": {"model": f"{arch}-32"}, "protocol": "knn", "baselines": False,
        "dataset": {"name": "fashion-mnist", "limit": 200}}
    result = finished(url, {"kind": "evaluate", "spec": spec})["result"]
    if result["model"] != f"{arch}-32" or "preset" in result:
        sys.exit(f"{arch}: the result does not name the model: {result}")
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--images", type=int, default=100)
    arguments = parser.parse_args()
    with daemon(arguments.binary) as url, tempfile.TemporaryDirectory() as folder:
        worst = max(check_model(url, folder, *model) for model in MODELS)
        for index, (name, side, encoder) in enumerate(CASES):
            method = METHODS[index % len(METHODS)]
            worst = max(worst, check(url, folder, name, side, encoder, method, arguments.images))
    print(f"largest difference, relative to the largest value: {worst:.1e}; allowed {TOLERANCE:.0e}")
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
