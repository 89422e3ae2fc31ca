"""Writes logistic.json: what scikit-learn's LogisticRegression (lbfgs) finds on some standardised features.

python make_logistic.py       (numpy and scikit-learn; written with scikit-learn 1.9.1)
"""
import json
import pathlib

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

CLASSES, FEATURES, TRAIN, TEST = 4, 12, 240, 80

random = numpy.random.default_rng(15)
centres = random.normal(size=(CLASSES, FEATURES))
# Correlated features of very different sizes, one of them constant.
mixing = random.normal(size=(FEATURES, FEATURES)) * numpy.logspace(-2, 2, FEATURES)
labels = numpy.arange(TRAIN + TEST) % CLASSES
features = (centres[labels] + 1.5 * random.normal(size=(TRAIN + TEST, FEATURES))) @ mixing
features[:, 3] = 7.5
features = features.astype(numpy.float32)

scaler = StandardScaler().fit(features[:TRAIN].astype(numpy.float64))
train, test = (scaler.transform(part.astype(numpy.float64)) for part in (features[:TRAIN], features[TRAIN:]))
fits = []
for ridge in (1, 1e-2, 1e-4, 1e-6):
    model = LogisticRegression(C=1 / (ridge * TRAIN), solver="lbfgs", tol=1e-10, max_iter=100_000)
    model.fit(train, labels[:TRAIN])
    fits.append({
        "ridge": ridge,
        "train_loss": log_loss(labels[:TRAIN], model.predict_proba(train)),
        "objective": log_loss(labels[:TRAIN], model.predict_proba(train))
        + ridge / 2 * float((model.coef_ ** 2).sum()),
        "test_loss": log_loss(labels[TRAIN:], model.predict_proba(test)),
        "train_top1": model.score(train, labels[:TRAIN]),
        "test_top1": model.score(test, labels[TRAIN:]),
    })
golden = {
    "classes": CLASSES, "features": FEATURES, "train": TRAIN, "labels": labels.tolist(),
    "rows": [float(value) for value in features.ravel()], "fits": fits,
}
path = pathlib.Path(__file__).with_name("logistic.json")
path.write_text(json.dumps(golden) + "\n")
