"""Writes neighbours.json: what scikit-learn's KNeighborsClassifier predicts with cosine distances and the weights
exp(similarity / temperature), for some features, and for features that depend on each other once StandardScaler and
LedoitWolf have whitened them.

python make_neighbours.py       (numpy and scikit-learn; written with scikit-learn 1.9.1)
"""
import json
import pathlib

import numpy
from sklearn.covariance import ledoit_wolf
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.preprocessing import StandardScaler

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

# Features of which some nearly repeat others, with classes that differ in a direction of little variance.
mixing = random.normal(size=(FEATURES, FEATURES)) @ numpy.diag(1.7 ** -numpy.arange(FEATURES))
mixing = (mixing @ random.normal(size=(FEATURES, FEATURES))).astype(numpy.float32).astype(numpy.float64)
scaler = StandardScaler().fit(train @ mixing)
covariance, shrinkage = ledoit_wolf(scaler.transform(train @ mixing), assume_centered=True)
root = numpy.linalg.cholesky(covariance)
bank, queries = (numpy.linalg.solve(root, scaler.transform(rows @ mixing).T).T for rows in (train, test))
model = KNeighborsClassifier(5, metric="cosine", algorithm="brute",
                             weights=lambda distances: numpy.exp((1 - distances) / 0.07)).fit(bank, labels[:TRAIN])
order = numpy.sort(model.predict_proba(queries), axis=1)
plain = KNeighborsClassifier(5, metric="cosine", algorithm="brute").fit(train @ mixing, labels[:TRAIN])
whitened = {"mixing": mixing.ravel().tolist(), "shrinkage": float(shrinkage), "k": 5, "temperature": 0.07,
            "rows": [float(value) for value in queries[0]], "predictions": model.predict(queries).tolist()}
print("margin", (order[:, -1] - order[:, -2]).min(), "top1", model.score(queries, labels[TRAIN:]), "plain",
      plain.score(test @ mixing, labels[TRAIN:]), "shrinkage", shrinkage)
golden = {
    "classes": CLASSES, "features": FEATURES, "train": TRAIN, "labels": labels.tolist(),
    "rows": [float(value) for value in features.ravel()], "runs": runs, "whitened": whitened,
    "nearest": nearest.kneighbors(test, return_distance=False).tolist(),
}
path = pathlib.Path(__file__).with_name("neighbours.json")
path.write_text(json.dumps(golden) + "\n")
print([(run["k"], run["margin"], run["top1"], run["top5"]) for run in runs], path.stat().st_size)
