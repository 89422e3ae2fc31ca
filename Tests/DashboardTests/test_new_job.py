"""The form: one batch for each submission, errors beside their fields, the right training chosen."""

import json

from browser import DashboardTest
from daemon import endless, training

SMALL = '{"encoder": {"width": 16}, "projector": {"widths": [16, 16]}}'


class NewJobTest(DashboardTest):
    def setUp(self):
        super().setUp()
        self.sent = []
        self.page.on("request", lambda request: self.sent.append(request) if request.method == "POST" else None)

    def fill(self, **fields):
        """Opens the form and fills fields, named by their place in the specification with _ for /."""
        self.open("#/new")
        self.see("form button.main")
        for place, value in fields.items():
            self.control(f"/{place.replace('__', '/')}").fill(value)

    def control(self, place):
        """The shown control of a place."""
        return self.page.locator(f'[data-pointer="{place}"]:visible')

    def fill_small(self, name):
        """A training with its evaluation that takes seconds."""
        self.fill(name=name, dataset__name="synthetic", dataset__limit="32", batch_size="16", max_steps="2")
        self.page.locator("summary").click()
        self.control("/extra").fill(SMALL)

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
            if route.request.method == "POST":
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
        self.fill(name="x" * 201, epochs="-1", batch_size="many", optimizer__lr="0", dataset__name="no such dataset")
        self.page.locator("summary").click()
        self.control("/extra").fill('{"loss": {"cov": -3}, "augmentation": {"crop_scale": [2, 1]}}')
        self.page.locator("form button.main").click()
        self.see(".problem .alert", "Not started:")
        _, answer = self.daemon.ask("POST", "/jobs", json.loads(self.sent[0].post_data))
        of_fields = {"/jobs/0/name": "/name", "/jobs/0/spec/epochs": "/epochs", "/jobs/0/spec/batch_size": "/batch_size",
                     "/jobs/0/spec/optimizer/lr": "/optimizer/lr", "/jobs/0/spec/dataset/name": "/dataset/name"}
        found = 0
        for error in answer["errors"]:
            place = of_fields.get(error["pointer"])
            if place:
                found += 1
                field = self.page.locator(".field:visible", has=self.page.locator(f'[data-pointer="{place}"]'))
                self.expect(field.locator(".error")).to_have_text(error["message"])
                control = self.control(place)
                self.assertEqual(control.get_attribute("aria-invalid"), "true")
                self.assertIn(field.locator(".error").get_attribute("id"), control.get_attribute("aria-describedby"))
            elif not error["pointer"].startswith("/jobs/1/"):
                item = self.page.locator(".problem li", has_text=error["pointer"])
                self.expect(item).to_contain_text(error["message"])
        self.assertEqual(found, 5, answer)
        then = self.page.locator(".field:visible", has=self.page.locator('[data-pointer="/then-evaluate"]'))
        self.expect(then.locator(".error")).to_have_text("")
        self.assertTrue(any("/loss/cov" in error["pointer"] for error in answer["errors"]), answer)
        self.check_width("the form with errors")

    def test_errors_of_an_evaluation_stand_beside_its_own_fields(self):
        self.expected_errors.append("422")
        self.daemon.queue(training("of the evaluation"))
        self.open("#/new?kind=evaluate")
        self.control("/epochs").fill("0")
        self.control("/seed").fill("first")
        self.page.locator("form button.main").click()
        for place in ("/epochs", "/seed"):
            field = self.page.locator(".field:visible", has=self.page.locator(f'[data-pointer="{place}"]'))
            self.expect(field.locator(".error")).to_contain_text("must be")
        self.expect(self.page.locator(".error:not(:empty):visible")).to_have_count(2)

    def test_text_that_is_not_a_json_object_is_refused_in_its_field(self):
        self.fill(name="extra")
        self.page.locator("summary").click()
        for text in ("[1]", "null", "{", "7"):
            self.control("/extra").fill(text)
            self.page.locator("form button.main").click()
            field = self.page.locator(".field:visible", has=self.page.locator('[data-pointer="/extra"]'))
            self.expect(field.locator(".error")).to_contain_text("must be a JSON object")
        self.assertEqual(self.sent, [])

    def test_evaluate_chooses_the_training_that_it_was_pressed_for(self):
        old = self.daemon.queue(endless("the old one"))[0]
        self.daemon.queue(*[training(f"newer {count}") for count in range(60)])
        self.open(f"#/jobs/{old}")
        self.page.locator("a.button", has_text="Evaluate").click()
        select = self.control("/checkpoint/job")
        self.expect(select).to_have_value(old)
        self.expect(select.locator(f'option[value="{old}"]')).to_contain_text("the old one")
        # Also when the newest trainings have been added.
        self.expect(select.locator("option", has_text="newer 59")).to_have_count(1)
        self.expect(select).to_have_value(old)
        self.page.get_by_role("button", name="Load older trainings").click()
        self.expect(select.locator("option", has_text="newer 0")).to_have_count(1)
        self.expect(select.locator(f'option[value="{old}"]')).to_have_count(1)
        self.expect(select).to_have_value(old)
        self.page.locator("form button.main").click()
        self.see("h1", "evaluate")
        newest = self.daemon.get("/jobs?limit=1")["jobs"][0]
        self.assertEqual(newest["spec"]["checkpoint"]["job"], old)
        self.daemon.change(old, "cancel")
