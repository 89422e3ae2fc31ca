"""Makes sweeps.json, what the searchers' tests compare with: SciPy's Sobol points, scikit-learn's Gaussian
process, mpmath's logarithms, and Optuna's Parzen estimator and importances.

    python sweeps.py > sweeps.json

Made with SciPy 1.17.1, scikit-learn 1.9.1, Optuna 5.0.0.
"""

import json
import logging
import random
import warnings

import mpmath
import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights
from scipy.stats import qmc
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

SPACE = {
    "/batch": {"int": [64, 512], "step": 64}, "/lr": {"log_uniform": [1e-4, 1]},
    "/method": {"choice": ["a", "b", "c"]}, "/weight": {"uniform": [-1, 3]}}
CONDITION = {"/weight": {"/method": "b"}}


def distributions():
    """The space as Optuna's distributions."""
    return {
        "/batch": IntDistribution(64, 512, step=64), "/lr": FloatDistribution(1e-4, 1, log=True),
        "/method": CategoricalDistribution(["a", "b", "c"]), "/weight": FloatDistribution(-1, 3)}


def configurations(count, seed):
    """Random configurations of the space."""
    source = random.Random(seed)
    return [
        {"/batch": 64 * source.randint(1, 8), "/lr": 10 ** source.uniform(-4, 0),
         "/method": source.choice("abc"), "/weight": source.uniform(-1, 3)} for _ in range(count)]


def internal(rows):
    """Configurations in Optuna's own terms, by parameter."""
    return {
        name: np.array([distribution.to_internal_repr(row[name]) for row in rows])
        for name, distribution in distributions().items()}


def parzen(count):
    """ln of the density that Optuna makes of some observations, at some configurations."""
    observed, asked = configurations(count, count), configurations(12, 1000 + count)
    # Which of equal observations gets which width depends on the order in which they are sorted; NumPy's own
    # differs between processors.
    np.argsort = lambda values, **_: np.asarray(values).argsort(kind="stable")
    settings = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
    estimator = _ParzenEstimator(internal(observed), distributions(), settings)
    return {"observed": observed, "asked": asked, "logs": estimator.log_pdf(internal(asked)).tolist()}


def process():
    """Posterior and likelihood of a Gaussian process with given hyper-parameters."""
    source = np.random.default_rng(3)
    x, y, asked = source.random((12, 3)), source.normal(size=12), source.random((5, 3))
    lengths, scale, noise = np.array([0.3, 0.8, 2.0]), 1.7, 0.01
    model = GaussianProcessRegressor(
        ConstantKernel(scale) * Matern(length_scale=lengths, nu=2.5), alpha=noise, optimizer=None).fit(x, y)
    mean, deviation = model.predict(asked, return_std=True)
    likelihood, slope = model.log_marginal_likelihood(model.kernel_.theta, eval_gradient=True)
    return {
        "features": x.tolist(), "values": y.tolist(), "asked": asked.tolist(),
        "inverse_squares": (lengths**-2).tolist(), "scale": scale, "noise": noise, "means": mean.tolist(),
        "variances": (deviation**2).tolist(), "log_likelihood": float(likelihood),
        "slope_scale": float(slope[0]), "slopes_log_length": slope[1:].tolist()}


def logarithms():
    """ln of tails, masses and expected improvements, with 60 digits on the way."""
    mpmath.mp.dps = 60
    phi, density = mpmath.ncdf, mpmath.npdf
    improvements = [-1e5, -2000, -500, -30, -25.5, -24.5, -3, -0.5, 0, 1, 6]
    masses = [(-1, 2), (0.5, 0.75), (5, 5.5), (-9, -8), (30, 31), (60, 60.01), (-100, -90)]

    def improvement(z):
        z = mpmath.mpf(z)
        if z < -1000:  # The asymptotic series, as 60 digits cancel.
            return mpmath.log(density(z) if z > -1e4 else 1) + (
                0 if z > -1e4 else -z * z / 2 - mpmath.log(2 * mpmath.pi) / 2) - 2 * mpmath.log(-z) \
                + mpmath.log(1 - 3 / z**2 + 15 / z**4)
        return mpmath.log(density(z) + z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2)

    def mass(a, b):
        root = mpmath.sqrt(2)
        return mpmath.log((mpmath.erfc(mpmath.mpf(a) / root) - mpmath.erfc(mpmath.mpf(b) / root)) / 2)

    return {
        "improvements": [[z, float(improvement(z))] for z in improvements],
        "masses": [[a, b, float(mass(a, b) if a > 0 else mass(-b, -a))] for a, b in masses]}


def importances(count, seed):
    """Optuna's importances of some trials; `/weight` is active under one method only."""
    study = optuna.create_study()
    rows = []
    for row in configurations(count, seed):
        if row["/method"] != "b":
            del row["/weight"]
        value = 4 * (np.log10(row["/lr"]) + 2.5) ** 2 + (row.get("/weight", 2) - 1) ** 2
        value += row["/batch"] / 512 + (0.5 if row["/method"] == "c" else 0)
        known = {name: value for name, value in distributions().items() if name in row}
        study.add_trial(optuna.trial.create_trial(params=row, distributions=known, value=float(value)))
        rows.append({"parameters": row, "value": float(value)})
    return {"rows": rows, "importances": optuna.importance.get_param_importances(study)}


def main():
    """Prints everything as JSON."""
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(logging.ERROR)
    sobol = qmc.Sobol(64, scramble=False, bits=32).random(32)
    golden = {
        "sobol": [[int(value * 2**32) for value in point] for point in sobol], "process": process(),
        "parzen": [parzen(9), parzen(40)], "logarithms": logarithms(),
        "importances": [importances(60, 1), importances(100, 2), importances(300, 3)]}
    print(json.dumps(golden))


if __name__ == "__main__":
    main()
