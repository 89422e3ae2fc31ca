"""The table of runs: what it shows, finds, sorts, groups, changes, and how it stays up to date."""

import time
from urllib.parse import parse_qs, urlsplit

from browser import DashboardTest
from daemon import endless, training

RUN = {"max_steps": 14, "dataset": {"name": "synthetic", "limit": 64}}
LABELS = [{"team": "a", "purpose": "first"}, {"team": "a"}, {"team": "b"}, {}]


def number(value):
    """As the page writes a number: three significant digits."""
    text = f"{value:.3g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class RunsTest(DashboardTest):
    """Four trainings that have finished, an evaluation, one that runs and five that wait."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daemon.queue(*[{**training(f"run {index}", **RUN, seed=index), "labels": labels}
                           for index, labels in enumerate(LABELS)])
        cls.done = [job["id"] for job in sorted(cls.daemon.get("/jobs")["jobs"], key=lambda job: job["name"])]
        for job in cls.done:
            cls.daemon.wait_for(job, "succeeded")
        evaluation = {"kind": "evaluate", "name": "its accuracy", "spec": {
            "checkpoint": {"job": cls.done[0], "which": "last"}, "protocol": "knn",
            "dataset": {"name": "synthetic", "limit": 64}}}
        (cls.evaluation,) = cls.daemon.queue(evaluation)
        cls.daemon.wait_for(cls.evaluation, "succeeded")
        (cls.running,) = cls.daemon.queue(endless("it runs"))
        cls.waiting = cls.daemon.queue(*[training(f"waits {index}") for index in range(5)])
        cls.daemon.wait_for(cls.running, "running")
        cls.daemon.wait_for_line(cls.running)

    def row(self, identifier):
        return self.page.locator(f'tr[data-key="{identifier}"]')

    def keys(self):
        """The ids of the rows that are shown, from top to bottom."""
        return self.page.evaluate("() => [...document.querySelectorAll('tr.run')].map((row) => row.dataset.key)")

    def expect_keys(self, keys, what="rows"):
        self.wait_until(lambda: self.keys() == list(keys), f"{what}: {keys}, not {self.keys()}")

    def names(self):
        """The first links of the rows, from top to bottom."""
        return self.page.locator("tr.run th a").all_text_contents()

    def address(self):
        return {name: values for name, values in parse_qs(urlsplit(self.page.url).fragment.partition("?")[2]).items()}

    def filter(self, name, value):
        select = self.page.locator(f'select[data-filter="{name}"]')
        select.focus()
        self.expect(select.locator(f'option[value="{value}"]')).to_have_count(1)
        select.select_option(value)

    def test_what_runs_comes_first_then_the_queue_then_all_others(self):
        self.open()
        self.expect_keys([self.running, *self.waiting, self.evaluation, *reversed(self.done)])
        self.assertEqual(self.page.locator(".section-head h2").all_text_contents(),
                         ["Running", "Queue", "Waiting and finished"])
        self.see(".filters .count", "11 runs")
        heights = self.page.evaluate("() => [...document.querySelectorAll('tr.run')].map((row) => row.offsetHeight)")
        self.assertLessEqual(max(heights), 32)

    def test_the_numbers_are_those_of_the_api(self):
        self.open()
        for identifier in self.done:
            job = self.daemon.job(identifier)
            row = self.row(identifier)
            self.expect(row.locator('[data-label="Loss"]')).to_contain_text(number(job["latest"]["loss"]))
            self.expect(row.locator('[data-label="RankMe"]')).to_contain_text(number(job["latest"]["rankme"]))
            self.expect(row.locator('[data-label="State"]')).to_have_text("succeeded")
            for key, title in (("loss", "Loss"), ("rankme", "RankMe")):
                points = self.daemon.get(f"/jobs/{identifier}/metrics?points=24&keys={key}")["series"][key]
                words = f"{title} from {number(points[0][1])} to {number(points[-1][1])}"
                self.expect(row.locator(f'[data-label="{title}"] svg')).to_have_attribute("aria-label", words)
        top1 = f"{self.daemon.job(self.evaluation)['result']['top1'] * 100:.1f}%"
        for identifier in (self.evaluation, self.done[0]):
            cell = self.row(identifier).locator('[data-label="Accuracy"]')
            self.expect(cell).to_contain_text(top1)
            self.expect(cell).to_contain_text("knn")

    def test_the_card_tells_how_the_running_training_goes(self):
        self.open()
        card = self.page.locator(".now-card", has_text="it runs")
        self.expect(card).to_contain_text("epoch")
        self.expect(card.locator(".now-curve")).to_have_count(2)
        before = self.daemon.job(self.running)["progress"]["step"]
        step = lambda: int(card.locator(".now-course .quiet").first.text_content().split()[1].replace(",", ""))
        self.wait_until(lambda: step() > before + 2, "the step moves")

    def test_sorting_is_the_daemons_and_stays_in_the_address(self):
        self.open()
        self.see("tr.run")
        self.page.locator('thead [data-column="name"]').click()
        rest = [job["id"] for job in self.daemon.get("/jobs?sort=name")["jobs"] if job["id"] != self.running]
        self.expect_keys([self.running, *rest])
        self.assertEqual(self.address(), {"sort": ["name"]})
        self.expect(self.page.locator('th[aria-sort="ascending"]')).to_contain_text("Name")
        self.page.locator('thead [data-column="name"]').click()
        self.expect_keys([self.running, *reversed(rest)])
        self.page.reload()
        self.expect_keys([self.running, *reversed(rest)])
        self.page.locator('thead [data-column="name"]').click()
        self.expect_keys([self.running, *self.waiting, self.evaluation, *reversed(self.done)])

    def test_filters_leave_what_the_api_leaves_and_are_in_the_address(self):
        views = {
            "state=succeeded": [self.evaluation, *reversed(self.done)], "kind=evaluate": [self.evaluation],
            "label=team%3Da": [self.done[1], self.done[0]], "q=RUN+2": [self.done[2]],
            "label=team&label=purpose%3Dfirst": [self.done[0]], "state=queued": self.waiting,
            "health=good": self.of("/jobs?health=good"), "state=running,queued": [self.running, *self.waiting],
        }
        for view, keys in views.items():
            with self.subTest(view=view):
                self.open(f"#/?{view}")
                self.expect_keys(keys, view)
                self.assertEqual(self.address(), parse_qs(view))

    def of(self, path):
        jobs = [job["id"] for job in self.daemon.get(path)["jobs"]]
        return sorted(jobs, key=lambda job: job != self.running)

    def test_filters_are_chosen_with_the_mouse_and_cleared(self):
        self.open()
        self.see("tr.run")
        self.page.locator(".menu summary", has_text="State").click()
        self.page.get_by_label("succeeded").check()
        self.expect_keys([self.evaluation, *reversed(self.done)])
        self.page.keyboard.press("Escape")
        self.filter("kind", "train")
        self.expect_keys(reversed(self.done))
        self.row(self.done[2]).locator(".chip", has_text="team=b").click()
        self.expect_keys([self.done[2]])
        self.assertEqual(self.address(), {"state": ["succeeded"], "kind": ["train"], "label": ["team=b"]})
        self.page.get_by_label("Search").fill("nothing like this")
        self.see("p.empty", "No run matches")
        self.page.get_by_role("button", name="Clear filters").click()
        self.see(".filters .count", "11 runs")
        self.assertEqual(self.address(), {})

    def test_groups_have_counts_and_open(self):
        self.open("#/?group=label%3Ateam")
        heads = self.page.locator(".group-row")
        self.expect(heads).to_have_count(3)
        self.assertEqual([text.strip() for text in heads.locator("button").all_text_contents()],
                         ["▸ a", "▸ b", "▸ Without this label"])
        self.expect(heads.first).to_contain_text("2")
        heads.first.get_by_role("button").click()
        self.expect_keys([self.running, self.done[1], self.done[0]])
        heads.last.get_by_role("button").click()
        self.expect_keys([self.running, self.done[1], self.done[0], *reversed(self.waiting), self.evaluation,
                          self.done[3]])

    def test_columns_are_chosen_and_kept(self):
        self.open()
        self.see("tr.run")
        self.page.locator(".menu summary", has_text="Columns").click()
        self.page.locator(".sheet").get_by_label("Health", exact=True).uncheck()
        self.page.get_by_label("Id", exact=True).check()
        self.expect(self.page.locator("thead")).not_to_contain_text("Health")
        self.page.reload()
        self.expect(self.row(self.running).locator('[data-label="Id"]')).to_have_text(self.running)
        self.expect(self.page.locator("thead")).not_to_contain_text("Health")
        self.page.locator(".menu summary", has_text="Columns").click()
        self.page.get_by_role("button", name="Standard columns").click()
        self.expect(self.page.locator("thead")).to_contain_text("Health")

    def test_every_run_is_reached_by_the_keyboard(self):
        self.open()
        self.expect_keys([self.running, *self.waiting, self.evaluation, *reversed(self.done)])
        focused = lambda: self.page.evaluate("() => document.activeElement.closest('tr')?.dataset.key")
        press = self.page.keyboard.press
        press("j")
        self.assertEqual(focused(), self.running)
        press("ArrowDown")
        self.assertEqual(focused(), self.waiting[0])
        press("k")
        press("G")
        self.assertEqual(focused(), self.done[0])
        press("Space")
        press("Shift+ArrowUp")
        self.see(".bulk .count", "2 selected")
        press("c")
        self.wait_until(lambda: self.page.url.endswith(f"#/compare?jobs={self.done[0]},{self.done[1]}"), "compare")
        self.page.go_back()
        self.expect_keys([self.running, *self.waiting, self.evaluation, *reversed(self.done)])
        press("a")
        self.see(".bulk .count", "11 selected")
        press("Escape")
        self.expect(self.page.locator(".bulk")).to_be_hidden()
        press("?")
        self.see("dialog.keys", "Next run")
        press("Escape")
        press("/")
        self.page.keyboard.type("waits 3")
        self.expect_keys([self.waiting[3]])
        press("Escape")
        press("j")
        press("Enter")
        self.see("h1", "waits 3")

    def test_the_table_fits_every_window(self):
        for width in (390, 768, 1440, 2560):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.open()
            self.see("tr.run")
            self.check_width(f"the table at {width} px")
            self.check_page()

    def test_an_empty_daemon_says_what_to_do(self):
        self.page.route("**/jobs?*", lambda route: route.fulfill(json={"jobs": [], "next_cursor": None, "total": 0}))
        self.open()
        self.see(".empty", "Start a first training")
        self.see(".empty .curl", "/jobs")


class ChangesTest(DashboardTest):
    """What is done to runs, and what happens to them meanwhile."""

    row = RunsTest.row
    keys = RunsTest.keys
    expect_keys = RunsTest.expect_keys

    def setUp(self):
        super().setUp()
        (self.running,) = self.daemon.queue(endless("holds the worker"))
        self.daemon.wait_for(self.running, "running")

    def tearDown(self):
        super().tearDown()
        for job in self.daemon.get("/jobs?limit=500&state=queued,running,paused,pausing,blocked")["jobs"]:
            self.daemon.change(job["id"], "cancel")
        for job in self.daemon.get("/jobs?limit=500")["jobs"]:
            self.daemon.wait_for(job["id"], "cancelled", "succeeded", "failed")
            self.daemon.ask("DELETE", f"/jobs/{job['id']}")

    def select(self, *jobs):
        for job in jobs:
            self.row(job).locator("input").check()

    def test_several_runs_are_labelled_paused_resumed_cancelled_and_deleted(self):
        jobs = self.daemon.queue(*[training(f"one of several {index}") for index in range(3)])
        self.open()
        self.expect_keys([self.running, *jobs])
        self.row(jobs[0]).locator("input").check()
        self.row(jobs[2]).locator("input").click(modifiers=["Shift"])
        self.see(".bulk .count", "3 selected")
        press = lambda name: self.page.locator(".bulk").get_by_role("button", name=name).click()
        press("Label…")
        self.page.get_by_label("Key", exact=True).fill("team")
        self.page.get_by_label("Value", exact=True).fill("c")
        self.page.get_by_role("button", name="Apply").click()
        self.see(".bulk-result", "3 runs labelled.")
        for job in jobs:
            self.expect(self.row(job).locator(".chip")).to_have_text("team=c")
            self.assertEqual(self.daemon.job(job)["labels"], {"team": "c"})
        press("Label…")
        self.page.get_by_label("Key", exact=True).fill("team")
        self.page.get_by_label("Remove the label").check()
        self.page.get_by_role("button", name="Apply").click()
        self.expect(self.page.locator(".jobs .chip")).to_have_count(0)
        press("Pause")
        for job in jobs:
            self.daemon.wait_for(job, "paused")
            self.expect(self.row(job).locator(".state")).to_have_text("paused")
        press("Resume")
        for job in jobs:
            self.daemon.wait_for(job, "queued")
        press("Cancel…")
        self.see("dialog", "Cancel 3 runs?")
        self.page.get_by_role("button", name="Keep it").click()
        self.assertEqual(self.daemon.job(jobs[0])["state"], "queued")
        press("Cancel…")
        self.page.locator("dialog").get_by_role("button", name="Cancel 3 runs").click()
        for job in jobs:
            self.expect(self.row(job).locator(".state")).to_have_text("cancelled")
        press("Delete…")
        self.page.locator("dialog").get_by_role("button", name="Delete 3 runs").click()
        self.expect_keys([self.running])

    def test_a_refusal_is_shown_in_words(self):
        (job,) = self.daemon.queue(training("will be gone"))
        self.open()
        self.select(job)
        self.page.route(f"**/jobs/{job}/pause", lambda route: route.fulfill(
            status=409, json={"title": "Conflict", "detail": "it is not to be paused now"}))
        self.expected_errors.append("409")
        self.page.locator(".bulk").get_by_role("button", name="Pause").click()
        self.see(".bulk-result [role=alert]", "will be gone: it is not to be paused now")

    def test_priority_moves_a_run_in_the_queue(self):
        first, second = self.daemon.queue(training("first"), training("second"))
        self.open()
        self.expect_keys([self.running, first, second])
        self.row(second).get_by_role("button", name="Raise").click()
        self.expect_keys([self.running, second, first])
        self.assertEqual(self.daemon.job(second)["priority"], 51)
        self.row(second).focus()
        self.page.keyboard.press("-")
        self.expect_keys([self.running, first, second])
        self.page.keyboard.press("-")
        self.wait_until(lambda: self.daemon.job(second)["priority"] == 49, "a lower priority")

    def test_changes_come_by_themselves_without_asking_for_the_list(self):
        self.open()
        self.expect_keys([self.running])
        self.page.wait_for_timeout(1500)
        asked = []
        self.page.on("request", lambda request: asked.append(request.url))
        start = time.monotonic()
        (job,) = self.daemon.queue(training("comes by itself"))
        self.expect(self.row(job)).to_have_count(1)
        self.assertLess(time.monotonic() - start, 3)
        self.daemon.ask("PATCH", f"/jobs/{job}", {"name": "renamed", "labels": {"new": "label"}})
        self.expect(self.row(job)).to_contain_text("renamed")
        self.expect(self.row(job)).to_contain_text("new=label")
        self.daemon.change(self.running, "cancel")
        self.expect(self.row(self.running).locator(".state")).to_have_text("cancelled")
        self.expect(self.row(job).locator(".state")).to_have_text("succeeded")
        self.expect_keys([job, self.running])
        self.assertEqual([url for url in asked if "limit=60" in url], [])
        self.assertEqual(self.daemon.ask("DELETE", f"/jobs/{job}")[0], 204)
        self.expect_keys([self.running])

    def test_a_filtered_view_takes_in_only_what_belongs_there(self):
        self.open("#/?label=team%3Da&q=Wanted")
        self.see("p.empty", "No run matches")
        self.daemon.queue({**training("not this one"), "labels": {"team": "a"}},
                          {**training("wanted, elsewhere"), "labels": {"team": "b"}})
        (job,) = self.daemon.queue({**training("this is WANTED"), "labels": {"team": "a"}})
        self.expect_keys([job])
        self.daemon.ask("PATCH", f"/jobs/{job}", {"labels": {"team": None}})
        self.see("p.empty", "No run matches")

    def test_a_hidden_tab_asks_for_nothing(self):
        self.open()
        self.expect_keys([self.running])
        self.page.evaluate("""() => {
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""")
        self.page.wait_for_timeout(500)
        asked = []
        self.page.on("request", lambda request: asked.append(request.url))
        (job,) = self.daemon.queue(training("not seen"))
        self.page.wait_for_timeout(11_000)
        self.assertEqual(asked, [])
        self.assertEqual(self.keys(), [self.running])
        self.page.evaluate("""() => {
          delete document.hidden;
          document.dispatchEvent(new Event("visibilitychange"));
        }""")
        self.expect_keys([self.running, job])


class ReaderTest(DashboardTest):
    """A token that may only read."""

    token = "reader"

    def test_no_button_is_shown_that_may_not_be_used(self):
        self.daemon.queue(endless("runs"), training("waits"))
        secret = self.daemon.command("token", "create", "--name", "eyes", "--role", "read").split()[-1]
        self.page.goto(f"{self.daemon.url}/#token={secret}")
        self.see("tr.run")
        self.page.locator("thead input").check()
        self.see(".bulk .count", "2 selected")
        self.assertEqual(self.page.locator(".bulk button:visible").all_text_contents(), ["Clear selection"])
        self.expect(self.page.locator("[data-priority]")).to_have_count(0)
