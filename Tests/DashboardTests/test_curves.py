"""Health in words, and curves whose line is the mean and whose band the extremes."""

import re
from urllib.parse import parse_qs, urlsplit

from browser import DashboardTest
from charts import DRAWN
from daemon import training

# Fourteen steps, as health says nothing before the tenth.
RUN = {"max_steps": 14, "dataset": {"name": "synthetic", "limit": 64}}
POINTS = 5
COLORS = """(element) => {
  const found = [element, ...element.querySelectorAll("*")].flatMap((one) =>
    [null, "::before"].map((part) => getComputedStyle(one, part).color));
  const probe = document.createElement("span");
  probe.className = "health good";
  document.body.append(probe);
  const good = getComputedStyle(probe).color;
  probe.remove();
  return found.includes(good);
}"""


class CurvesTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        jobs = cls.daemon.queue(
            training("healthy", **RUN),
            training("collapsed", **RUN, loss={"var": 0, "cov": 0}, optimizer={"lr": 0.01}),
            training("diverged", **RUN, optimizer={"name": "sgd", "lr": 1000}))
        cls.healthy, cls.collapsed, cls.diverged = jobs
        for job in jobs:
            cls.daemon.wait_for(job, "succeeded", "failed")

    def setUp(self):
        super().setUp()
        # The tests read pixels back; the page does not.
        self.expected_errors.append("willReadFrequently")

    def health(self, identifier):
        return self.daemon.job(identifier)["health"]

    def test_a_collapsed_training_says_so_and_nothing_about_its_health_is_green(self):
        health = self.health(self.collapsed)
        self.assertEqual(health["state"], "collapsed")
        for view in (f"#/jobs/{self.collapsed}", "#/"):
            self.open(view)
            if view != "#/":
                hint = self.see(".hint", f"Collapsed: {health['message']}.")
                self.assertEqual(hint.get_attribute("class"), "hint bad")
                self.assertFalse(hint.evaluate(COLORS))
            chip = self.see(".health.collapsed", "Collapsed")
            self.assertEqual(chip.get_attribute("title"), health["message"])
            self.assertFalse(chip.evaluate(COLORS))

    def test_a_healthy_training_says_so(self):
        health = self.health(self.healthy)
        self.assertEqual(health["state"], "good", health)
        self.open(f"#/jobs/{self.healthy}")
        self.assertTrue(self.see(".hint", f"Healthy: {health['message']}.").evaluate(COLORS))
        self.see(".health.good", "Healthy")

    def test_a_diverged_training_says_so(self):
        job = self.daemon.job(self.diverged)
        self.assertEqual((job["state"], job["health"]["state"]), ("failed", "diverging"))
        self.open(f"#/jobs/{self.diverged}")
        self.see(".hint.bad", f"Diverging: {job['health']['message']}.")
        self.see(".alert", job["message"])
        self.assertFalse(self.see(".hint").evaluate(COLORS))

    def test_every_state_of_health_has_its_words_in_list_and_job(self):
        words = {"unknown": "Health unknown", "warning": "Warning", "good": "Healthy", "collapsed": "Collapsed",
                 "diverging": "Diverging"}
        for state, word in words.items():
            with self.subTest(state=state):
                def change(route):
                    answer = route.fetch()
                    body = answer.json()
                    body["health"] = {"state": state, "message": "the reason", "step": 12}
                    route.fulfill(response=answer, json=body)
                self.page.route(f"**/jobs/{self.healthy}", change)
                self.open(f"#/jobs/{self.healthy}")
                hint = self.see(".hint", f"{word}: the reason.")
                self.assertEqual(hint.evaluate(COLORS), state == "good")
                self.expect(self.page.locator(".head .health")).to_have_count(0 if state == "unknown" else 1)
                self.page.unroute(f"**/jobs/{self.healthy}")

    def test_the_line_is_the_mean_and_the_band_the_extremes_of_real_lines(self):
        def ask_for_few(route):
            keys = parse_qs(urlsplit(route.request.url).query)["keys"][0]
            route.continue_(url=f"{self.daemon.url}/jobs/{self.healthy}/metrics?points={POINTS}&keys={keys}")
        self.page.route("**/metrics?*", ask_for_few)
        self.open(f"#/jobs/{self.healthy}")
        self.see(".chart canvas")
        series = self.daemon.get(f"/jobs/{self.healthy}/metrics?points={POINTS}&keys=loss,cov")["series"]
        for title, key in (("Loss", "loss"), ("Covariance", "cov")):
            points = series[key]
            row = max(range(1, len(points) - 1), key=lambda index: points[index][3] - points[index][1])
            drawn = self.page.evaluate(DRAWN, [title, row])
            step, *bar = points[row]
            self.assertEqual(drawn["step"], step)
            self.assertEqual(drawn["bar"], bar)
            self.assertLess(bar[1], bar[0], "the bucket has one line only")
            self.assertGreater(drawn["line"], drawn["band"], f"{title}: {drawn}")
            self.assertGreater(drawn["band"], 0, f"{title}: {drawn}")
            self.assertEqual(drawn["outside"], 0, f"{title}: {drawn}")

    def test_an_extreme_moves_the_band_and_not_the_line(self):
        points = [[step, 35.2, 34.0, 1e4 if step == 5 else 36.0] for step in range(1, 11)]
        self.page.route("**/metrics?*", lambda route: route.fulfill(
            json={"series": {key: points for key in parse_qs(urlsplit(route.request.url).query)["keys"][0].split(",")}}))
        self.open(f"#/jobs/{self.healthy}")
        chart = self.page.locator(".chart", has=self.page.get_by_text("Loss", exact=True))
        self.expect(chart.locator(".value")).to_have_text("35.2")
        self.expect(chart.locator(".canvas")).to_have_attribute(
            "aria-label", re.compile("^Loss: 35.2 at step 1, 35.2 at step 10. Arrows"))
        drawn = self.page.evaluate(DRAWN, ["Loss", 4])
        self.assertEqual(drawn["bar"], [35.2, 34.0, 1e4])

    def test_values_that_are_not_finite_break_nothing(self):
        points = [[1, 1, 1, 1], [2, None, None, None], [3, 2, -1, 4]]
        self.page.route("**/metrics?*", lambda route: route.fulfill(
            json={"series": {key: points for key in parse_qs(urlsplit(route.request.url).query)["keys"][0].split(",")}}))
        self.open(f"#/jobs/{self.healthy}")
        self.see(".chart canvas")
        self.page.get_by_label("Logarithmic").check()
        self.page.get_by_label("Smoothing").fill("100")
        self.see(".chart canvas")
        self.expect(self.page.locator(".chart .value").first).to_have_text("2 (smoothed 1.98)")

    def test_a_training_by_another_method_shows_the_parts_of_that_method(self):
        (job,) = self.daemon.queue(training("contrast", **RUN, method="simclr"))
        self.daemon.wait_for(job, "succeeded", "failed")
        self.open(f"#/jobs/{job}")
        self.expect(self.page.locator(".chart .name")).to_have_text(
            ["Loss", "Positive similarity", "Contrast accuracy", "Spread", "Effective rank", "Correlation",
             "Gradient norm", "Learning rate", "Speed"])
        for chart in self.page.locator(".chart").all():
            chart.scroll_into_view_if_needed()
            self.expect(chart.locator(".value")).to_have_text(re.compile("[0-9]"))
        self.see(".hint", f"{self.health(job)['message']}.")
        self.see(".facts", "simclr")
        self.open("#/new")
        for place, choice in (("/preset", "byol-cifar"), ("/method", "simsiam"), ("/encoder/arch", "resnet50")):
            options = self.page.locator(f'[data-pointer="/spec{place}"]:visible option')
            self.expect(options.filter(has_text=choice)).to_have_count(1)
