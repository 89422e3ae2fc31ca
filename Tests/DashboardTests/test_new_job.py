"""The form: one batch for each submission, errors beside their fields, the right training chosen."""

import json

from daemon import endless, training
from forms import FormTest, is_submission


class NewJobTest(FormTest):
    def fill(self, **fields):
        """Opens the form afresh and fills fields, named by their place in what is sent with __ for /."""
        self.open("#/new")
        self.see("form.new")
        self.page.get_by_role("button", name="Start over").click()
        for place, value in fields.items():
            self.control(f"/{place.replace('__', '/')}").fill(value)

    def fill_small(self, name):
        """A training with its evaluation that takes seconds."""
        self.fill(name=name, spec__dataset__limit="32", spec__batch_size="16", spec__max_steps="2",
                  spec__projector__widths="16, 16")
        self.control("/spec/dataset/name").select_option(label="synthetic")

    def jobs(self, name):
        """Kinds of the daemon's jobs whose name begins so, in order."""
        jobs = self.daemon.get("/jobs?limit=500")["jobs"]
        return sorted(job["kind"] for job in jobs if (job["name"] or "").startswith(name))

    def test_a_double_click_queues_one_training_and_one_evaluation_in_one_request(self):
        self.fill_small("double")
        self.page.locator("form button.main").dblclick()
        self.see("h1", "double")
        self.assertEqual(len(self.sent), 1)
        self.assertEqual(len(json.loads(self.sent[0].post_data)["jobs"]), 2)
        self.assertEqual(self.jobs("double"), ["evaluate", "train"])
        evaluation = next(job for job in self.daemon.get("/jobs")["jobs"] if job["name"] == "double, evaluated")
        self.assertEqual([evaluation["spec"]["checkpoint"]["job"]], evaluation["needs"])

    def test_the_enter_key_held_down_queues_once(self):
        self.fill_small("held")
        submit = "(form) => { for (let count = 0; count < 5; count++) form.requestSubmit(); }"
        self.page.locator("form").evaluate(submit)
        self.see("h1", "held")
        self.assertEqual(len(self.sent), 1)
        self.assertEqual(self.jobs("held"), ["evaluate", "train"])

    def lose_answers(self):
        """From now on requests to queue jobs reach the daemon, and their answers get lost."""
        self.expected_errors.append("ERR_FAILED")

        def lose(route):
            if is_submission(route.request):
                route.fetch()
                route.abort()
            else:
                route.continue_()
        self.page.route("**/jobs", lose)

    def test_a_submission_whose_answer_was_lost_can_be_repeated(self):
        self.fill_small("repeated")
        self.lose_answers()
        self.page.locator("form button.main").click()
        self.see(".problem .alert", "The daemon does not answer.")
        self.page.unroute("**/jobs")
        self.page.locator("form button.main").click()
        self.see("h1", "repeated")
        self.assertEqual(self.jobs("repeated"), ["evaluate", "train"])

    def test_a_submission_whose_answer_was_lost_can_be_repeated_after_a_reload(self):
        self.fill_small("reloaded")
        self.lose_answers()
        self.page.locator("form button.main").click()
        self.see(".problem .alert")
        self.page.unroute("**/jobs")
        self.page.reload()
        self.fill_small("reloaded")
        self.page.locator("form button.main").click()
        self.see("h1", "reloaded")
        self.assertEqual(self.jobs("reloaded"), ["evaluate", "train"])

    def test_the_same_form_may_be_sent_again_on_purpose(self):
        for count in (1, 2):
            self.fill_small("twice")
            self.page.locator("form button.main").click()
            self.see("h1", "twice")
            self.assertEqual(self.jobs("twice"), ["evaluate"] * count + ["train"] * count)

    def test_each_error_stands_beside_the_field_that_it_names(self):
        self.expected_errors.append("422")
        self.fill(name="x" * 201, spec__epochs="-1", spec__batch_size="many", spec__optimizer__lr="0",
                  spec__loss__cov="-3")
        self.page.locator("form button.main").click()
        self.see(".problem .alert", "Not started:")
        _, answer = self.daemon.ask("POST", "/jobs", json.loads(self.sent[0].post_data))
        own = [error for error in answer["errors"] if error["pointer"].startswith("/jobs/0/")]
        self.assertEqual(len(own), 5, answer)
        for error in own:
            place = error["pointer"].removeprefix("/jobs/0")
            field = self.field(place)
            self.expect(field.locator(".error")).to_contain_text(error["message"])
            control = self.control(place)
            self.assertEqual(control.get_attribute("aria-invalid"), "true")
            self.assertIn(field.locator(".error").get_attribute("id"), control.get_attribute("aria-describedby"))
        self.expect(self.field("/then-evaluate").locator(".error")).to_have_text("")
        self.check_width("the form with errors")
        # A mended field is right at once, without sending the form again.
        self.control("/spec/epochs").fill("3")
        self.expect(self.field("/spec/epochs").locator(".error")).to_have_text("")
        self.assertEqual(len(self.sent), 1)

    def test_errors_of_an_evaluation_stand_beside_its_own_fields(self):
        self.expected_errors.append("422")
        job = self.daemon.queue(training("of the evaluation"))[0]
        self.open(f"#/new?kind=evaluate&job={job}")
        self.control("/spec/seeds").fill("0")
        self.control("/spec/seed").fill("first")
        self.page.locator("form button.main").click()
        for place in ("/spec/seeds", "/spec/seed"):
            self.expect(self.field(place).locator(".error")).to_contain_text("must be")
        self.expect(self.page.locator(".error:not(:empty):visible")).to_have_count(2)

    def test_evaluate_chooses_the_training_that_it_was_pressed_for(self):
        old = self.daemon.queue(endless("the old one"))[0]
        self.daemon.queue(*[training(f"newer {count}") for count in range(60)])
        self.open(f"#/jobs/{old}")
        self.page.locator("a.button", has_text="Evaluate").click()
        select = self.control("/spec/checkpoint/job")
        self.expect(select).to_have_value(json.dumps(old))
        self.expect(select.locator(f'option[value="\\"{old}\\""]')).to_contain_text("the old one")
        # Also when the newest trainings have been added.
        self.expect(select.locator("option", has_text="newer 59")).to_have_count(1)
        self.expect(select).to_have_value(json.dumps(old))
        self.page.get_by_role("button", name="Load older trainings").click()
        self.expect(select.locator("option", has_text="newer 0")).to_have_count(1)
        self.expect(select.locator(f'option[value="\\"{old}\\""]')).to_have_count(1)
        self.expect(select).to_have_value(json.dumps(old))
        self.page.locator("form button.main").click()
        self.see("h1", "evaluate")
        newest = self.daemon.get("/jobs?limit=1")["jobs"][0]
        self.assertEqual(newest["spec"]["checkpoint"]["job"], old)
        self.daemon.change(old, "cancel")
