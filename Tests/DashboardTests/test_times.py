"""Running time without the pauses, the history, estimates; and copying."""

from browser import DashboardTest
from daemon import endless

CONTRACT = {
    "started_at": "2020-01-01T00:00:00.000Z", "running_seconds": 75,
    "estimate": {"seconds": 3700, "memory_bytes": 540_000_000, "disk_bytes": 30_000_000},
    "host": {"cpu": "A Processor", "cores": 4, "threads": 2, "isa": "avx2", "memory_bytes": 8_000_000_000,
             "version": "9.9.9"},
    "progress": {"step": 5, "steps": 10, "epoch": 1, "epochs": 2, "images_per_second": 100, "seconds_left": 130,
                 "finish_at": "2020-01-02T00:00:00.000Z"},
}


class TimesTest(DashboardTest):
    def change_job(self, identifier, **changes):
        """From now on the page sees the job with other values; None: without that member."""
        def changed(job):
            job = {**job, **changes}
            return {key: value for key, value in job.items() if not (key in changes and value is None)}

        def of_one(route):
            answer = route.fetch()
            route.fulfill(response=answer, json=changed(answer.json()))

        def of_list(route):
            answer = route.fetch()
            body = answer.json()
            if "jobs" in body:
                body["jobs"] = [changed(job) for job in body["jobs"]]
            route.fulfill(response=answer, json=body)
        self.page.route(f"**/jobs/{identifier}", of_one)
        self.page.route("**/jobs?*", of_list)
        # The stream would report the job as it is.
        self.page.route("**/events", lambda route: route.abort())
        self.expected_errors.append("ERR_FAILED")

    def fact(self, name):
        return self.page.locator(".facts > div", has=self.page.locator("dt", has_text=name)).locator("dd")

    def test_running_time_estimate_and_machine_are_those_that_the_daemon_reports(self):
        job = self.daemon.queue(endless("timed"))[0]
        self.change_job(job, **CONTRACT, state="running")
        self.open(f"#/jobs/{job}")
        self.expect(self.fact("Running time")).to_have_text("1 min 15 s")
        self.expect(self.fact("Estimate")).to_have_text("about 1 h 1 min, 540.0 MB of memory, 30.0 MB of disk")
        self.expect(self.fact("Machine")).to_have_text("A Processor, 2 threads, avx2, version 9.9.9")
        self.expect(self.fact("Progress")).to_contain_text("2 min 10 s left · ends about")
        self.open()
        self.see('.jobs td[data-label="Running time"]', "1 min 15 s")
        self.daemon.change(job, "cancel")

    def test_what_the_daemon_does_not_report_is_not_made_up(self):
        job = self.daemon.queue(endless("not timed"))[0]
        self.change_job(job, started_at="2020-01-01T00:00:00.000Z", running_seconds=None, estimate=None, host=None)
        self.open(f"#/jobs/{job}")
        self.expect(self.fact("Running time")).to_have_text("–")
        self.expect(self.fact("Estimate")).to_have_count(0)
        self.expect(self.fact("Machine")).to_have_count(0)
        self.daemon.change(job, "cancel")

    def test_the_history_has_the_length_of_each_state(self):
        job = self.daemon.queue(endless("paused and resumed"))[0]
        self.daemon.wait_for(job, "running")
        self.daemon.change(job, "pause")
        self.daemon.wait_for(job, "paused")
        self.open(f"#/jobs/{job}")
        rows = self.page.locator("section", has_text="History").locator("tbody tr")
        transitions = self.daemon.get(f"/jobs/{job}/transitions")["transitions"]
        self.expect(rows).to_have_count(len(transitions))
        self.expect(rows.last).to_contain_text("paused")
        self.expect(rows.last.locator('[data-label="Duration"]')).to_have_text("not over")
        self.daemon.change(job, "resume")
        self.expect(self.page.locator("tbody .past.paused")).to_have_count(1)
        spans = self.page.evaluate("""async () => {
          const { spans } = await import("/js/run/history.js");
          const times = [[0, "queued"], [5, "running"], [65, "paused"], [365, "running"], [370, "succeeded"]];
          return spans(times.map(([second, to]) => ({ time: new Date(second * 1000).toISOString(), to })))
            .map(({ state, seconds }) => [state, seconds]);
        }""")
        self.assertEqual(spans, [["queued", 5], ["running", 60], ["paused", 300], ["running", 5], ["succeeded", None]])
        self.daemon.change(job, "cancel")


class CopyTest(DashboardTest):
    def copy(self):
        self.open()
        self.see(".curl code", "curl http")
        self.page.get_by_role("button", name="Copy").click()

    def test_says_copied_when_it_was_copied(self):
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.copy()
        self.see(".curl [role=status]", "Copied.")
        copied = self.page.evaluate("() => navigator.clipboard.readText()")
        self.assertEqual(copied, self.page.locator(".curl code").text_content())

    def test_copies_without_a_clipboard_of_the_page(self):
        self.context.grant_permissions(["clipboard-read"])
        self.context.add_init_script("""window.board = navigator.clipboard;
          Object.defineProperty(navigator, "clipboard", { value: undefined })""")
        self.copy()
        self.see(".curl [role=status]", "Copied.")
        self.assertIn("/jobs -H", self.page.evaluate("() => board.readText()"))

    def test_says_so_when_nothing_can_be_copied(self):
        self.context.add_init_script("""Object.defineProperty(navigator, "clipboard", { value: undefined });
          document.execCommand = () => false;""")
        self.copy()
        self.see(".curl [role=status]", "Not copied: press Ctrl+C")
        self.assertEqual(self.page.evaluate("() => getSelection().toString()"),
                         self.page.locator(".curl code").text_content())
