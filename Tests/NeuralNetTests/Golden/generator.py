"""The inputs and the summaries of golden numbers, for the scripts beside this one.

Inputs and weights come from a counter-based generator (GoldenGenerator.swift is its twin), so only results are stored,
and those as summaries: the L2 norm of a tensor, its dot products with PROBES generated vectors and SAMPLES of its
entries.
"""
import math

import numpy as np
import torch

PROBES, PROBE_SEED = 6, 900_001
SAMPLES, SAMPLE_SEED = 64, 900_100
MASK = (1 << 64) - 1


def bits(seed, count):
    """64 random bits for each counter 0..<count of a stream: splitmix64's finaliser over seed and counter."""
    z = np.uint64(seed * 0xD1342543DE82EF95 & MASK)
    with np.errstate(over="ignore"):
        z = z + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(seed, count):
    """Multiples of 2^-23 in [-1, 1): exact in float32."""
    return (bits(seed, count) >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1


def generated(seed, shape, scale=1.0, offset=0.0):
    """A float64 tensor whose values are exact float32 numbers: float32(offset + scale * uniform)."""
    values = (offset + scale * uniform(seed, math.prod(shape))).astype(np.float32)
    return torch.from_numpy(values.astype(np.float64)).reshape(shape)


def rounded(value):
    return float(f"{value:.9g}")


def summary(tensor):
    flat = tensor.detach().double().reshape(-1).numpy()
    picks = (bits(SAMPLE_SEED, SAMPLES) % np.uint64(flat.size)).astype(np.int64)
    return {
        "shape": list(tensor.shape),
        "norm": rounded(np.sqrt((flat * flat).sum())),
        "dots": [rounded((flat * uniform(PROBE_SEED + j, flat.size)).sum()) for j in range(PROBES)],
        "entries": [rounded(flat[i]) for i in picks],
    }
