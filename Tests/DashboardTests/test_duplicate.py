"""Duplicate and edit: what was begun, as it differs from its preset."""

from daemon import training
from forms import FormTest


class DuplicateTest(FormTest):
    def test_a_training_is_filled_in_with_what_differs_from_its_preset(self):
        spec = {"preset": "small", "method": "simclr", "dataset": {"name": "synthetic", "limit": 32}, "epochs": 3,
                "batch_size": 16, "max_steps": 2, "loss": {"temperature": 0.3}, "projector": {"widths": [32, 16]},
                "optimizer": {"name": "sgd", "momentum": 0.8}, "augmentation": {"crop_scale": [0.3, 1]}, "seed": 4,
                "checkpoint": {"keep_best": {"metric": "loss"}}}
        # Without online evaluation, as the few images leave none to hold back.
        job = self.daemon.queue({"kind": "train", "name": "the first", "labels": {"team": "a"}, "priority": 60, "spec": spec})[0]
        self.open_form(f"?from={job}")
        self.see(".notice", "What differs from its preset is marked.")
        self.see_ready()
        shown = self.json()
        self.assertEqual({**shown, "spec": None}, {"kind": "train", "name": "the first", "labels": {"team": "a"},
                                                   "priority": 60, "spec": None})
        own = shown["spec"]
        self.assertEqual(own.pop("online", None), None)
        best = own["checkpoint"].pop("keep_best")
        self.assertEqual(best["metric"], "loss")
        self.assertEqual(own.pop("checkpoint"), {})
        del spec["checkpoint"]
        self.assertEqual(own, spec)
        self.expect(self.field("/spec/loss/temperature").locator(".was")).to_contain_text("Reset to 0.2")
        # It resolves to the same, and is another job when it is sent.
        resolved = self.daemon.ask("POST", "/jobs?dry_run=true", self.json())[1]["spec"]
        self.assertEqual(resolved, self.daemon.job(job)["spec"])
        self.control("/spec/seed").fill("5")
        self.start()
        self.see("h1", "the first")
        newest = self.daemon.get("/jobs?limit=1")["jobs"][0]
        self.assertNotEqual(newest["id"], job)
        self.assertEqual(newest["spec"], {**resolved, "seed": 5})

    def test_an_evaluation_and_embeddings_are_filled_in(self):
        train = self.daemon.queue(training("source"))[0]
        evaluation, embedding = self.daemon.queue(
            {"kind": "evaluate", "spec": {"checkpoint": {"job": train}, "protocol": "knn", "knn": {"k": 5}}},
            {"kind": "embed", "spec": {"checkpoint": {"job": train}, "layer": "fc"}})
        for job, spec in ((evaluation, {"protocol": "knn", "knn": {"k": 5}}), (embedding, {"layer": "fc"})):
            # The kind is that of the job, whatever the address says.
            self.open_form(f"?from={job}")
            self.see_json({"kind": self.daemon.job(job)["kind"],
                           "spec": {"checkpoint": {"job": train, "which": "last"}, **spec}})
            self.see_ready()
            self.start()
            self.wait_until(lambda: self.page.url.find("#/jobs/") > 0, "the page of the new job")

    def test_a_job_that_is_not_there_is_said(self):
        self.expected_errors.append("404")
        self.open_form("?from=01m8hcnf1mqzcy24")
        self.see(".notice", "There is no job 01m8hcnf1mqzcy24.")
        self.see_ready()

    def test_a_run_is_embedded_and_gone_on_with(self):
        train = self.daemon.queue(training("goes on"))[0]
        self.daemon.wait_for(train, "succeeded")
        self.open_form(f"?kind=embed&job={train}")
        self.see_ready()
        name = self.daemon.get(f"/jobs/{train}/checkpoints")["checkpoints"][0]["name"]
        self.choose("/spec/checkpoint/which", name)
        self.see_json(lambda body: body["spec"]["checkpoint"] == {"job": train, "which": name})
        self.see_ready()
        self.open_form(f"?kind=train&job={train}")
        self.see_json(lambda body: body["jobs"][0]["spec"]["init_from"] == {"job": train, "which": "last"})
        self.see_ready()
        self.control("/spec/init_from").select_option("none")
        self.see_json(lambda body: body["jobs"][0]["spec"] == {"preset": "small"})
