"""Writes spectrum.json: singular values, deviations and principal components by NumPy, for FeatureSpectrum.

Run with NumPy installed: python3 make_spectrum.py
"""
import json
import pathlib

import numpy as np


def case(rows, columns, rank, seed):
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, rank)) * 2.0 ** -np.arange(rank) @ random.normal(size=(rank, columns))
    features = (features + random.normal(size=columns)).astype(np.float32)
    x = features.astype(np.float64)
    centred = x - x.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((rows, 2))
    count = min(2, len(sizes))
    points[:, :count] = left[:, :count] * sizes[:count]
    for axis in range(2):
        furthest = points[np.argmax(np.abs(points[:, axis])), axis]
        points[:, axis] *= -1 if furthest < 0 else 1
    explained = np.zeros(2)
    explained[:count] = sizes[:count] ** 2 / (sizes**2).sum()
    return {
        "rows": rows,
        "columns": columns,
        "features": [float(v) for v in features.ravel()],
        "singular_values": np.linalg.svd(x, compute_uv=False).tolist(),
        "deviations": x.std(axis=0, ddof=1).tolist(),
        "points": points.ravel().tolist(),
        "explained": explained.tolist(),
    }


cases = [case(24, 7, 7, 0), case(6, 19, 19, 1), case(12, 12, 5, 2), case(5, 1, 1, 3), case(30, 9, 2, 4)]
path = pathlib.Path(__file__).with_name("spectrum.json")
path.write_text(json.dumps(cases) + "\n")
