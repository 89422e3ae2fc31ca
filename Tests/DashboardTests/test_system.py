"""The page of the system: its figures are those of GET /system."""

import time

from browser import DashboardTest
from daemon import endless

WIDTHS = (390, 1440, 2560)


def hour(system, now):
    """The answer with samples of a whole hour, one of which could not be taken, and with much of everything."""
    count = 360
    times = [now - (count - 1 - index) * 10_000 for index in range(count)]
    return {**system, "history": {
        "interval_seconds": 10, "times_ms": times,
        "cpu_share": [None if index == 100 else index / count for index in range(count)],
        "memory_used_bytes": [10 ** 9 * (1 + index // 90) for index in range(count)],
        "disk_free_bytes": [5 * 10 ** 10 - index * 10 ** 7 for index in range(count)],
        "running": [index // 60 for index in range(count)], "queued": [1500 - index for index in range(count)]},
        "workers": [{"job": "0123456789abcdef", "name": "שלום " * 40, "kind": "train", "threads": 4,
                     "since": "2026-01-01T00:00:00Z"}] * 2 + system["workers"],
        "cpu": "A processor with a name " * 8}


class SystemTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.jobs = cls.daemon.queue(endless("שלום runs"), endless("waits"))
        cls.daemon.wait_for(cls.jobs[0], "running")

    def facts(self):
        names = self.page.locator(".facts dt").all_inner_texts()
        return dict(zip(names, self.page.locator(".facts dd").all_inner_texts()))

    def section(self, name):
        return self.page.get_by_role("region", name=name)

    def test_the_figures_are_those_of_the_api(self):
        self.open("#/system")
        self.see(".facts")
        system = self.daemon.get("/system")
        workers = self.section("Workers")
        self.expect(workers.get_by_role("heading")).to_have_text(
            f"{len(system['workers'])} of {system['workers_max']} workers busy")
        self.expect(workers.get_by_role("link", name="שלום runs")).to_have_attribute("href", f"#/jobs/{self.jobs[0]}")
        for state, count in system["queue"].items():
            row = self.section("Jobs").locator("tr", has_text=state).first
            self.expect(row.locator("td")).to_have_text(f"{count:,}")
            self.expect(row.get_by_role("link")).to_have_attribute("href", f"#/?state={state}")
        for version in filter(None, system["versions"].values()):
            self.expect(self.section("Versions")).to_contain_text(version)
        for name in system["limits"]:
            self.expect(self.section("Limits")).to_contain_text(name.replace("_", " "))
        self.expect(self.section("Tokens")).to_contain_text("No token is needed")
        facts = self.facts()
        gigabytes = f"{system['memory']['total_bytes'] / 10 ** 9:.1f} GB"
        self.assertIn(gigabytes, facts["Memory"])
        self.assertIn(f"{system['disk']['total_bytes'] / 10 ** 9:.1f} GB", facts["Disk"])
        self.assertIn(str(system["cores"]), facts["Cores"])

    def test_a_job_that_ends_leaves_its_worker(self):
        job = self.daemon.queue(endless("first in the queue"))[0]
        self.open("#/system")
        self.see("[aria-label=Workers]", "שלום runs")
        self.daemon.ask("PATCH", f"/jobs/{job}", {"priority": 100})
        self.daemon.change(self.jobs[0], "pause")
        self.see("[aria-label=Workers]", "first in the queue")
        # The next test finds what it was.
        self.daemon.ask("PATCH", f"/jobs/{self.jobs[0]}", {"priority": 90})
        self.daemon.change(self.jobs[0], "resume")
        self.daemon.change(job, "cancel")
        self.daemon.wait_for(self.jobs[0], "running")

    def test_an_hour_is_shown_and_each_value_can_be_read(self):
        now = int(time.time() * 1000)
        system = hour(self.daemon.get("/system"), now)
        self.page.route("**/system", lambda route: route.fulfill(json=system))
        self.open("#/system")
        cpu = self.page.get_by_role("img", name="CPU in the last hour")
        self.expect(self.page.locator(".history .value").first).to_have_text("99.7%")
        cpu.focus()
        self.page.keyboard.press("Home")
        self.expect(self.page.locator(".history .value").first).to_contain_text(": 0.0%")
        self.page.keyboard.press("ArrowRight")
        self.expect(self.page.locator(".history .value").first).to_contain_text(": 0.3%")
        self.page.keyboard.press("Escape")
        jobs = self.page.locator(".history", has_text="Jobs")
        self.expect(jobs.locator(".value")).to_have_text("5 running, 1,141 queued")
        jobs.locator("summary").click()
        self.expect(jobs.locator("tbody tr").first).to_contain_text("1,141")
        self.assertGreaterEqual(jobs.locator("tbody tr").count(), 60)

    def test_every_width_and_scheme(self):
        system = hour(self.daemon.get("/system"), int(time.time() * 1000))
        for scheme in ("light", "dark"):
            self.open_context(color_scheme=scheme)
            self.page.route("**/system", lambda route: route.fulfill(json=system))
            self.open("#/system")
            self.see(".history")
            for details in self.page.locator("details > summary").all():
                details.click()
            for width in WIDTHS:
                with self.subTest(scheme=scheme, width=width):
                    self.page.set_viewport_size({"width": width, "height": 900})
                    self.check_width("the page of the system")
                    self.check_page()


class SystemAccessTest(DashboardTest):
    token = "lab"

    def test_only_who_may_write_sees_which_tokens_there_are(self):
        self.expected_errors += ["401"]
        secret = self.daemon.command("token", "create", "--name", "guest", "--role", "read").split()[-1]
        for name, token, is_seen in (("lab", self.daemon.secret, True), ("guest", secret, False)):
            self.context.clear_cookies()
            self.page.goto("about:blank")
            self.page.goto(f"{self.daemon.url}/#token={token}")
            self.see("#session", name)
            self.page.evaluate("location.hash = '#/system'")
            tokens = self.see("[aria-label=Tokens]", "1 may write, 1 may only read")
            self.expect(tokens.locator("table")).to_have_count(1 if is_seen else 0)
