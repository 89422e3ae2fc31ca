"""Runs next to each other: curves, values, the settings that differ, evaluations."""

from urllib.parse import parse_qs, urlsplit

from browser import DashboardTest
from daemon import endless, training

RUN = {"max_steps": 14, "dataset": {"name": "synthetic", "limit": 64}}
LINES = """(title) => {
  const chart = [...document.querySelectorAll(".compare-curves .chart-area")].map((area) => area.chart)
    .find((one) => one.options.title === title);
  return (chart?.lines ?? []).map(({ id, label, points, isHidden, color, dash }) =>
    ({ id, label, points, isHidden: Boolean(isHidden), style: `${color} ${dash}` }));
}"""


def number(value):
    """As the page writes a number of a table: four significant digits."""
    text = f"{value:.4g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class CompareTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.jobs = cls.daemon.queue(
            training("first of them", **RUN),
            training("higher rate", **RUN, optimizer={"lr": 0.002}),
            training("other seed", **RUN, seed=7, loss={"cov": 2}))
        for job in cls.jobs:
            cls.daemon.wait_for(job, "succeeded")
        cls.evaluations = cls.daemon.queue(*[
            {"kind": "evaluate", "spec": {"checkpoint": {"job": job, "which": "last"}, "protocol": "knn",
                                          "dataset": {"name": "synthetic", "limit": 64}}} for job in cls.jobs[:2]])
        for job in cls.evaluations:
            cls.daemon.wait_for(job, "succeeded")

    def compare(self, *jobs, more=""):
        self.open(f"#/compare?jobs={','.join(jobs or self.jobs)}{more}")
        self.expect(self.page.locator(".compared li")).to_have_count(len(jobs or self.jobs))

    def lines(self, title):
        return self.page.evaluate(LINES, title)

    def address(self):
        return parse_qs(urlsplit(self.page.url).fragment.partition("?")[2])

    def test_curves_are_those_of_the_api_each_in_its_own_style(self):
        self.compare()
        self.see(".compare-curves canvas")
        for title, key in (("Loss", "loss"), ("Effective rank", "rankme")):
            self.wait_until(lambda: len(self.lines(title)) == 3, "three lines")
            lines = self.lines(title)
            self.assertEqual([line["label"] for line in lines], ["first of them", "higher rate", "other seed"])
            self.assertEqual(len({line["style"] for line in lines}), 3)
            for line in lines:
                series = self.daemon.get(f"/jobs/{line['id']}/metrics?points=600&keys={key}")["series"]
                self.assertEqual(line["points"], series[key])

    def test_metrics_are_chosen_and_runs_hidden_and_removed(self):
        self.compare()
        self.see(".compare-curves canvas")
        self.page.locator(".menu summary", has_text="Metrics").click()
        self.page.get_by_label("Invariance", exact=True).check()
        self.page.get_by_label("Effective rank", exact=True).uncheck()
        names = self.page.locator(".compare-curves .chart .name")
        self.expect(names).to_have_text(["Loss", "Invariance"])
        self.assertEqual(self.address()["keys"], ["loss,inv"])
        self.page.get_by_role("button", name="Curves of higher rate").click()
        self.wait_until(lambda: [line["isHidden"] for line in self.lines("Loss")] == [False, True, False], "one hidden")
        self.page.reload()
        self.expect(names).to_have_text(["Loss", "Invariance"])
        self.wait_until(lambda: [line["isHidden"] for line in self.lines("Loss")] == [False, True, False], "one hidden")
        self.page.get_by_role("button", name="Show only other seed").click()
        self.wait_until(lambda: [line["isHidden"] for line in self.lines("Loss")] == [True, True, False], "two hidden")
        self.page.get_by_role("button", name="Show all").first.click()
        self.page.get_by_role("button", name="Remove from the comparison: first of them").click()
        self.expect(self.page.locator(".compared li")).to_have_count(2)
        self.assertEqual(self.address()["jobs"], [",".join(self.jobs[1:])])
        self.page.locator(".compared a", has_text="other seed").click()
        self.see("h1", "other seed")

    def test_values_are_those_of_the_api(self):
        self.compare(more="&metric=rankme&step=5")
        rows = self.page.locator(".compare-values tbody tr")
        self.expect(rows).to_have_count(3)
        for index, identifier in enumerate(self.jobs):
            summary = self.daemon.job(identifier)["summary"]["rankme"]
            lines = self.daemon.get(f"/jobs/{identifier}/metrics?points=1000&keys=rankme")["series"]["rankme"]
            at = next(point[1] for point in lines if point[0] == 5)
            expected = {"Last": summary["last"], "Best": summary["max"], "at step": summary["best_step"],
                        "Mean of the last tenth": summary["mean"], "Lowest": summary["min"],
                        "Highest": summary["max"], "At step": at}
            for name, value in expected.items():
                self.expect(rows.nth(index).locator(f'td[data-label="{name}"]')).to_have_text(number(value))
        self.page.locator(".compare-values").get_by_role("button", name="Last", exact=True).click()
        last = {job: self.daemon.job(job)["summary"]["rankme"]["last"] for job in self.jobs}
        names = [self.daemon.job(job)["name"] for job in sorted(self.jobs, key=last.get)]
        self.expect(rows.locator("th")).to_have_text(names)
        self.assertEqual(self.address()["order"], ["last"])

    def test_only_the_settings_that_differ_are_shown(self):
        self.compare()
        rows = self.page.locator(".compare-settings tbody tr")
        self.expect(rows.locator("th")).to_have_text(["loss.cov", "optimizer.lr", "seed"])
        shown = [[cell.text_content() for cell in row.locator("td").all()] for row in rows.all()]
        specs = [self.daemon.job(job)["spec"] for job in self.jobs]
        self.assertEqual(shown, [
            [number(spec["loss"]["cov"]) for spec in specs], [str(spec["optimizer"]["lr"]) for spec in specs],
            [str(spec["seed"]) for spec in specs]])
        self.page.get_by_label("Show all settings").check()
        self.expect(rows.filter(has_text="batch_size")).to_have_count(1)
        self.assertEqual(self.address()["all"], ["1"])
        self.page.get_by_label("Show all settings").uncheck()
        self.expect(rows).to_have_count(3)
        self.compare(self.jobs[0])
        self.see(".compare-settings", "There is one run.")

    def test_evaluations_stand_next_to_each_other_with_their_intervals(self):
        self.compare()
        rows = self.page.locator(".compare-evaluations tbody tr")
        self.expect(rows).to_have_count(2)
        for index, identifier in enumerate(self.evaluations):
            result = self.daemon.job(identifier)["result"]
            cell = rows.nth(index).locator("td").first
            self.expect(cell.locator("b")).to_have_text(f"{result['top1'] * 100:.1f}%")
            low, high = result["top1_interval"]
            self.expect(cell).to_contain_text(f"{low * 100:.1f}% to {high * 100:.1f}%")
            self.assertTrue(cell.locator("a").get_attribute("href").endswith(identifier))

    def test_the_page_fits_every_window(self):
        for width in (390, 1440, 2560):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.compare()
            self.see(".compare-curves canvas")
            self.check_width(f"the comparison at {width} px")
            self.check_page()

    def test_runs_that_do_not_exist_are_named(self):
        self.expected_errors += ["404", "422"]
        lost = "0123456789abcdef"
        self.open(f"#/compare?jobs={self.jobs[0]},{lost}")
        self.see("[role=alert]", lost)
        self.expect(self.page.locator(".compared li")).to_have_count(1)
        self.see(".compare-curves canvas")
        self.open("#/compare")
        self.see(".empty", "No runs to compare")

    def test_lines_of_a_running_job_are_added(self):
        (job,) = self.daemon.queue(endless("goes on"))
        self.daemon.wait_for_line(job)
        self.compare(job, self.jobs[0])
        self.see(".compare-curves canvas")
        last = lambda: self.lines("Loss")[0]["points"][-1][0]
        before = last()
        self.wait_until(lambda: last() > before + 2, "the curve goes on")
        self.daemon.change(job, "cancel")

    def test_many_runs_have_their_settings_by_value(self):
        jobs = self.daemon.queue(*[training(f"many {index}", seed=index % 3, max_steps=2) for index in range(8)])
        for job in jobs:
            self.daemon.wait_for(job, "succeeded")
        self.compare(*jobs)
        row = self.page.locator(".compare-settings tbody tr", has_text="seed")
        self.assertEqual([" ".join(text.split()) for text in row.locator("li").all_text_contents()],
                         ["0 3 runs", "1 3 runs", "2 2 runs"])
