"""Scripts/optuna_sweep.py: Optuna chooses, the daemon trains, and neither's death makes a trial twice."""

import importlib.util
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import PATIENCE_SECONDS, ROOT, Daemon, training

SCRIPT = f"{ROOT}/Scripts/optuna_sweep.py"
SPACE = {
    "/optimizer/lr": {"log_uniform": [1e-5, 1e-2]}, "/loss/cov": {"choice": [0.5, 1, 2]},
    "/batch_size": {"int": [8, 16], "step": 8}, "/augmentation/crop_scale/0": {"uniform": [0.2, 0.6]}}


def sweep(**changes):
    """Trials of three epochs of two to four steps."""
    base = training(max_steps=None, epochs=3, image_size=16)
    return {"name": "small", "base": base, "space": SPACE, "search": {"name": "random", "seed": 3},
            "objective": {"metric": "loss", "mode": "min"}, "max_trials": 5, **changes}


@unittest.skipUnless(importlib.util.find_spec("optuna"), f"Optuna is not installed for {sys.executable}")
class OptunaSweepTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(workers=2)
        cls.addClassCleanup(cls.daemon.stop)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vicregd-optuna-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def command(self, body, *flags):
        with open(f"{self.folder}/sweep.json", "w") as file:
            json.dump(body, file)
        return [sys.executable, SCRIPT, f"{self.folder}/sweep.json", f"{self.folder}/study.db", "--url",
                self.daemon.url, *flags]

    def run_script(self, body, *flags):
        """The lines that it prints, and their last."""
        done = subprocess.run(
            self.command(body, *flags), capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[:-1], lines[-1]["best"]

    def refusal(self, body, *flags):
        done = subprocess.run(
            self.command(body, *flags), capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def study(self):
        """The trials as the study has them."""
        import optuna
        study = optuna.load_study(study_name="sweep", storage=f"sqlite:///{self.folder}/study.db")
        return study.trials, study.user_attrs["identity"]

    def check_jobs(self, count):
        """Every trial of the study has one job, with its parameters."""
        trials, identity = self.study()
        self.assertEqual(len(trials), count)
        jobs = self.daemon.get(f"/jobs?label=study%3D{identity}&kind=train&limit=100")["jobs"]
        numbers = [int(job["labels"]["trial"]) for job in jobs]
        self.assertEqual(sorted(numbers), list(range(count)))
        for number, job in zip(numbers, jobs):
            spec, parameters = job["spec"], trials[number].params
            self.assertEqual(job["id"], trials[number].user_attrs["job"])
            self.assertEqual(spec["optimizer"]["lr"], parameters["/optimizer/lr"])
            self.assertEqual(spec["batch_size"], parameters["/batch_size"])
            self.assertEqual(spec["augmentation"]["crop_scale"], [parameters["/augmentation/crop_scale/0"], 1])
        return trials

    def test_runs_a_sweep_and_extends_it(self):
        objective = {"metric": "loss.mean", "mode": "min"}
        lines, best = self.run_script(sweep(objective=objective), "--parallel", "2")
        self.assertEqual([line["state"] for line in lines], ["complete"] * 5)
        trials = self.check_jobs(5)
        for trial in trials:
            self.assertEqual(sorted(trial.intermediate_values), [1, 2, 3])
            job = self.daemon.job(trial.user_attrs["job"])
            self.assertEqual(trial.value, job["summary"]["loss"]["mean"])
        self.assertEqual(best["value"], min(trial.value for trial in trials))
        more, _ = self.run_script(sweep(objective=objective, max_trials=7))
        self.assertEqual([line["trial"] for line in more], [5, 6])
        rates = [trial.params["/optimizer/lr"] for trial in self.check_jobs(7)]
        self.assertEqual(len(set(rates)), 7, "a sampler that begins again must not draw the same")

    def test_goes_on_after_kills_of_itself_and_of_the_daemon(self):
        body, dice = sweep(max_trials=8), random.Random(1)
        command = self.command(body, "--parallel", "2", "--sampler", "TPESampler", "--sampler-options",
                               '{"seed": 1, "n_startup_trials": 3}')
        end = time.monotonic() + PATIENCE_SECONDS
        for kill in range(100):
            self.assertLess(time.monotonic(), end)
            script = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                _, errors = script.communicate(timeout=dice.uniform(1, 6) if kill < 8 else PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                script.send_signal(signal.SIGKILL)
                script.communicate()
                if kill % 3 == 1:
                    self.daemon.kill()
                    self.daemon.start()
                continue
            self.assertEqual(script.returncode, 0, errors)
            break
        trials = self.check_jobs(8)
        self.assertTrue(all(trial.state.name == "COMPLETE" for trial in trials))

    def test_waits_for_a_daemon_that_is_restarted(self):
        script = subprocess.Popen(
            self.command(sweep(max_trials=3)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        script.stdout.readline()
        self.daemon.kill()
        time.sleep(2)
        self.daemon.start()
        _, errors = script.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(script.returncode, 0, errors)
        self.check_jobs(3)

    def test_cancels_what_the_pruner_ends(self):
        halving = {"name": "asha", "min_epochs": 1, "reduction_factor": 2, "max_epochs": 16}
        lines, _ = self.run_script(sweep(max_trials=8, early_stopping=halving, search={"name": "tpe"}))
        pruned = [line for line in lines if line["state"] == "pruned"]
        self.assertGreater(len(pruned), 0)
        trials = self.check_jobs(8)
        for line in pruned:
            job = self.daemon.job(line["job"])
            self.assertEqual(job["state"], "cancelled")
            self.assertLess(job["progress"]["epoch"], 16)
            self.assertIn(max(trials[line["trial"]].intermediate_values), (1, 2, 4, 8))

    def test_takes_the_accuracy_of_an_evaluation(self):
        base = training(max_steps=None, epochs=1, image_size=16, dataset={"name": "synthetic", "limit": 64})
        body = sweep(base=base, max_trials=2, objective={"metric": "evaluation.top1", "mode": "max"},
                     evaluate={"protocol": "knn", "dataset": {"name": "synthetic", "limit": 64}})
        lines, best = self.run_script(body)
        self.assertTrue(all(0 <= line["value"] <= 1 for line in lines))
        _, identity = self.study()
        evaluations = self.daemon.get(f"/jobs?label=study%3D{identity}&kind=evaluate")["jobs"]
        self.assertEqual(best["value"], max(job["result"]["top1"] for job in evaluations))

    def test_follows_conditions(self):
        space = {"/method": {"choice": ["vicreg", "simclr"]},
                 "/loss/temperature": {"uniform": [0.05, 0.5], "if": {"/method": "simclr"}}}
        lines, _ = self.run_script(sweep(space=space, max_trials=6))
        self.assertEqual({line["state"] for line in lines}, {"complete"})
        last = [self.daemon.job(line["job"])["summary"]["loss"]["last"] for line in lines]
        self.assertEqual([line["value"] for line in lines], last)
        for line in lines:
            job = self.daemon.job(line["job"])
            self.assertEqual(job["spec"]["method"], line["parameters"]["/method"])
            self.assertEqual("/loss/temperature" in line["parameters"], job["spec"]["method"] == "simclr")

    def test_names_what_is_wrong(self):
        self.assertIn("not supported with Optuna: budget", self.refusal(sweep(budget=3)))
        self.assertIn("evaluation.top1", self.refusal(sweep(
            objective={"metric": "evaluation.top1", "mode": "max"},
            early_stopping={"name": "asha", "min_epochs": 1, "max_epochs": 4, "reduction_factor": 2})))
        wrong = {"/optimizer/lr": {"choice": [-1, -2]}}
        self.assertIn("no trial", self.refusal(sweep(space=wrong, max_trials=2)))
        self.assertIn("study of another sweep", self.refusal(sweep(max_trials=2)))
        trials, _ = self.study()
        self.assertTrue(all(trial.state.name == "FAIL" for trial in trials))
