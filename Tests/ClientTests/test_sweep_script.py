"""Scripts/sweep.sh: posts a sweep, follows it and prints its ranking, with curl and jq alone."""

import json
import shutil
import subprocess
import time
import unittest

from daemon import PATIENCE_SECONDS, ROOT, Daemon, training

SCRIPT = f"{ROOT}/Scripts/sweep.sh"
MISSING = [tool for tool in ("curl", "jq") if shutil.which(tool) is None]


def sweep(**changes):
    """Trials of a few steps."""
    return {"name": "small", "base": training(image_size=16), "search": {"name": "grid"},
            "space": {"/optimizer/lr": {"choice": [0.0001, 0.001, 0.01]}},
            "objective": {"metric": "loss", "mode": "min"}, "max_trials": 3, **changes}


@unittest.skipIf(MISSING, f"{', '.join(MISSING)} missing: apt-get install curl jq")
class SweepScriptTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(token="script")
        cls.addClassCleanup(cls.daemon.stop)

    def command(self, *arguments):
        return [SCRIPT, "--url", self.daemon.url, "--token", self.daemon.secret, *arguments]

    def run_script(self, body, *flags):
        return subprocess.run(self.command(*flags, "-"), input=body if isinstance(body, str) else json.dumps(body),
                              capture_output=True, text=True, timeout=PATIENCE_SECONDS)

    def test_follows_a_sweep_to_its_ranking(self):
        done = self.run_script(sweep(), "--top", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0].split(), ["trial", "value", "state", "epochs", "job", "parameters"])
        ranking = [line.split() for line in lines[1:3]]
        values = [float(line[1]) for line in ranking]
        self.assertEqual(values, sorted(values))
        for line, value in zip(ranking, values):
            job = self.daemon.job(line[4])
            self.assertEqual(job["sweep"]["trial"], int(line[0]))
            self.assertEqual(line[5], f"/optimizer/lr={job['spec']['optimizer']['lr']}")
        self.assertTrue(lines[3].startswith("importances: /optimizer/lr 100%"), done.stdout)
        self.assertIn("3 of 3 succeeded", done.stderr)

    def test_prints_the_daemons_own_words_for_what_is_wrong(self):
        done = self.run_script(sweep(space={"/optimizer/lr": {"log_uniform": [0, 1]}}))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("422 ", done.stderr)
        self.assertIn("/space/~1optimizer~1lr", done.stderr)
        done = self.run_script("{")
        self.assertEqual(done.returncode, 1)
        self.assertIn("400 ", done.stderr)
        stranger = subprocess.run([SCRIPT, "--url", self.daemon.url, "--token", "wrong", "-"], input="{}",
                                  capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual(stranger.returncode, 1)
        self.assertIn("401 ", stranger.stderr)
        self.assertEqual(self.daemon.get("/sweeps?q=wrong")["total"], 0)

    def test_goes_on_while_the_daemon_is_restarted_and_says_how_a_sweep_ended(self):
        base = training(image_size=16, max_steps=None, epochs=100_000)
        posted = self.run_script(sweep(base=base), "--no-wait")
        self.assertEqual(posted.returncode, 0, posted.stderr)
        sweep_id = posted.stdout.strip()
        follower = subprocess.Popen(self.command("--follow", sweep_id), stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        follower.stderr.readline()
        self.daemon.kill()
        time.sleep(3)
        self.daemon.start()
        status, _ = self.daemon.ask("POST", f"/sweeps/{sweep_id}/cancel", {})
        self.assertLess(status, 300)
        _, errors = follower.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(follower.returncode, 1, errors)
        self.assertIn(f"sweep {sweep_id}: cancelled", errors)
