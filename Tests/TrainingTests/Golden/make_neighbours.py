"""Writes neighbours.json: what scikit-learn's KNeighborsClassifier predicts with cosine distances and the weights
exp(similarity / temperature), for some features.

python make_neighbours.py       (numpy and scikit-learn; written with scikit-learn 1.9.1)
"""
import json
import pathlib

import numpy
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

CLASSES, FEATURES, TRAIN, TEST = 7, 9, 330, 120

random = numpy.random.default_rng(17)
centres = random.normal(size=(CLASSES, FEATURES))
labels = random.integers(0, CLASSES, TRAIN + TEST)
features = (centres[labels] + 1.2 * random.normal(size=(TRAIN + TEST, FEATURES))).astype(numpy.float32)
train, test = features[:TRAIN].astype(numpy.float64), features[TRAIN:].astype(numpy.float64)
runs = []
for k, temperature in ((1, 0.07), (5, 0.07), (20, 0.07), (200, 0.1), (1000, 1.0)):
    neighbours = min(k, TRAIN)
    model = KNeighborsClassifier(
        neighbours, metric="cosine", algorithm="brute",
        weights=lambda distances, t=temperature: numpy.exp((1 - distances) / t))
    model.fit(train, labels[:TRAIN])
    votes = model.predict_proba(test)
    order = numpy.sort(votes, axis=1)
    # Of the two most frequent classes, the second may not be nearly as frequent: float32 could change the order.
    margin = float((order[:, -1] - order[:, -2])[order[:, -1] < 1].min(initial=1))
    top5 = float(numpy.mean([label in numpy.argsort(-vote, kind="stable")[:5]
                             for label, vote in zip(labels[TRAIN:], votes)]))
    runs.append({
        "k": k, "temperature": temperature, "margin": margin, "predictions": model.predict(test).tolist(),
        "top1": float(model.score(test, labels[TRAIN:])), "top5": top5,
    })
nearest = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(train)
golden = {
    "classes": CLASSES, "features": FEATURES, "train": TRAIN, "labels": labels.tolist(),
    "rows": [float(value) for value in features.ravel()], "runs": runs,
    "nearest": nearest.kneighbors(test, return_distance=False).tolist(),
}
path = pathlib.Path(__file__).with_name("neighbours.json")
path.write_text(json.dumps(golden) + "\n")
print([(run["k"], run["margin"], run["top1"], run["top5"]) for run in runs], path.stat().st_size)
