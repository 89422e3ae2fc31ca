"""The list of sweeps and the page of one: its numbers are those of the API, and every action works."""

import json
import re

from browser import DashboardTest
from daemon import training, wait_until

WIDTHS = (390, 1440, 2560)
RATE, WEIGHT, METHOD, HEAT = "/optimizer/lr", "/loss/cov", "/method", "/loss/temperature"
CSV_COLUMNS = ["number", "state", "value", "rung", "stopped_at", "epochs", "seeds"]


def sweep(name, space, **members):
    base = training(**members.pop("spec", {}))
    del base["name"]
    base["spec"] = {key: value for key, value in base["spec"].items() if value is not None}
    return {"name": name, "base": base, "space": space, "objective": {"metric": "loss", "mode": "min"},
            "search": {"name": "grid"}, **members}


def duration(seconds):
    """Seconds below an hour, as the page writes them."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


class SweepsTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grid = cls.begin(sweep("rates", {RATE: {"choice": [0.01, 0.001]}, WEIGHT: {"choice": [0.5, 2]}}))
        cls.halving = cls.begin(sweep(
            "stopped early", {RATE: {"log_uniform": [1e-5, 0.1]}, WEIGHT: {"uniform": [0.1, 5]}},
            spec={"max_steps": None, "epochs": None}, search={"name": "random", "seed": 1},
            early_stopping={"name": "asha", "reduction_factor": 2, "min_epochs": 1, "max_epochs": 2},
            objective={"metric": "rankme", "mode": "max"}, max_trials=5))
        # In SGD's hands this rate soon leaves no number.
        cls.mixed = cls.begin(sweep(
            "methods", {METHOD: {"choice": ["vicreg", "simclr"]}, HEAT: {"uniform": [0.05, 0.5], "if": {METHOD: "simclr"}},
                        RATE: {"choice": [0.001, 1000]}},
            spec={"optimizer": {"name": "sgd"}, "max_steps": 8}, search={"name": "random", "seed": 2}, max_trials=6, max_failed=6))
        for one in (cls.grid, cls.halving, cls.mixed):
            cls.wait_for_sweep(one, "succeeded")

    @classmethod
    def begin(cls, body):
        status, answer = cls.daemon.ask("POST", "/sweeps", body)
        assert status == 201, answer
        return answer["id"]

    @classmethod
    def wait_for_sweep(cls, identifier, *states):
        return wait_until(lambda: (found := cls.daemon.get(f"/sweeps/{identifier}"))["state"] in states and found,
                          f"sweep {identifier} in {states}")

    def show(self, identifier, query=""):
        self.open(f"#/sweeps/{identifier}{query}")
        self.see(".trials tbody tr")

    def column(self, key):
        """The texts of a column of the table of trials."""
        return [text.strip() for text in self.page.locator(f'.trials tbody [data-label="{key}"]').all_inner_texts()]

    def numbers(self):
        return [int(text.lstrip("#")) for text in self.column("Trial")]

    def ranking(self, identifier):
        return self.daemon.get(f"/sweeps/{identifier}/trials?sort=rank")["trials"]

    def test_the_list_shows_what_the_api_says(self):
        self.open("#/sweeps")
        for one in (self.grid, self.halving, self.mixed):
            answer = self.daemon.get(f"/sweeps/{one}")
            row = self.page.locator(f'tr[data-key="{one}"]')
            self.expect(row).to_contain_text(answer["name"])
            self.expect(row.locator(".state")).to_have_text(answer["state"])
            for state in ("succeeded", "failed", "stopped"):
                count = answer["trials"][state]
                self.expect(row.locator(f".segment.{state}")).to_have_count(1 if count else 0)
                if count:
                    self.expect(row).to_contain_text(f"{count} {state}")
            self.expect(row).to_contain_text(f"trial {answer['best']['trial']}")
            seconds = sum(job["running_seconds"] for job in self.daemon.get(f"/jobs?sweep={one}&limit=500")["jobs"])
            self.expect(row.locator('[data-label="Compute"]')).to_have_text(duration(seconds))
        self.page.get_by_role("link", name="rates").click()
        self.see("h1", "rates")

    def test_the_table_is_that_of_the_api_in_its_order(self):
        for one in (self.grid, self.halving, self.mixed):
            with self.subTest(sweep=one):
                trials = self.ranking(one)
                self.show(one)
                self.assertEqual(self.numbers(), [trial["number"] for trial in trials])
                for trial in trials:
                    row = self.page.locator(f'.trials tr[data-key="{trial["number"]}"]')
                    self.expect(row.locator(".state")).to_contain_text(trial["state"])
                    self.expect(row.get_by_role("link")).to_have_attribute("href", f"#/jobs/{trial['job']}")
                best = self.daemon.get(f"/sweeps/{one}")["best"]
                self.see(".best-trial h2", f"#{best['trial']}")
                self.expect(self.page.locator(".trials tr.best th")).to_have_text(f"#{best['trial']}")

    def test_values_and_parameters_are_those_of_the_api(self):
        trials = self.ranking(self.mixed)
        self.show(self.mixed)
        for trial, value, rate, method, heat in zip(
                trials, *(self.column(name) for name in ("loss", "optimizer.lr", "method", "loss.temperature"))):
            if trial["value"] is None:
                self.assertEqual(value, "–")
            else:
                self.assertAlmostEqual(float(value.replace(",", "")) / trial["value"], 1, delta=6e-4)
            self.assertEqual(float(rate.replace(",", "")), trial["parameters"][RATE])
            self.assertEqual(method, trial["parameters"][METHOD])
            if HEAT in trial["parameters"]:
                self.assertAlmostEqual(float(heat), trial["parameters"][HEAT], delta=5e-4)
            else:
                self.assertEqual(heat, "–")
        self.assertIn("failed", {trial["state"] for trial in trials})
        shares = self.daemon.get(f"/sweeps/{self.mixed}")["importances"]
        self.assertEqual(self.page.locator(".shares tbody .figure").all_inner_texts(),
                         [f"{share['value'] * 100:.1f}%" for share in shares])

    def test_a_click_on_a_column_sorts_and_the_address_keeps_it(self):
        self.show(self.grid)
        trials = self.daemon.get(f"/sweeps/{self.grid}/trials")["trials"]
        by_rate = sorted(trials, key=lambda trial: (trial["parameters"][RATE], trial["number"]))
        button = self.page.get_by_role("button", name="optimizer.lr", exact=True)
        button.click()
        self.assertEqual(self.numbers(), [trial["number"] for trial in by_rate])
        self.expect(self.page.locator('.trials th[aria-sort="ascending"]')).to_have_text("optimizer.lr")
        # The button was made again, and has kept the focus.
        self.page.keyboard.press("Enter")
        by_rate = sorted(trials, key=lambda trial: (-trial["parameters"][RATE], trial["number"]))
        self.assertEqual(self.numbers(), [trial["number"] for trial in by_rate])
        self.assertIn("sort=-", self.page.url)
        self.page.reload()
        self.see(".trials tbody tr")
        self.assertEqual(self.numbers(), [trial["number"] for trial in by_rate])
        self.page.get_by_role("button", name="optimizer.lr", exact=True).click()
        self.assertEqual(self.numbers(), [trial["number"] for trial in self.ranking(self.grid)])

    def test_a_brush_filters_the_table_by_key_and_by_pointer(self):
        trials = self.ranking(self.halving)
        kept = [trial["number"] for trial in trials if 1e-4 <= trial["parameters"][RATE] <= 0.01]
        self.show(self.halving)
        self.page.get_by_text("Filter by values").click()
        self.page.get_by_label("optimizer.lr from").fill("0.0001")
        self.page.get_by_label("optimizer.lr to").fill("0.01")
        self.page.get_by_label("optimizer.lr to").press("Tab")
        self.see(".brush-chip", "optimizer.lr: 1e-4 to 0.01")
        self.assertEqual(self.numbers(), kept)
        self.see(".sweep-results", f"{len(kept)} of {len(trials)} trials")
        self.page.reload()
        self.see(".brush-chip")
        self.assertEqual(self.numbers(), kept)
        self.page.get_by_role("button", name="Remove the filter").click()
        self.expect(self.page.locator(".brush-chip")).to_have_count(0)
        self.assertEqual(self.numbers(), [trial["number"] for trial in trials])
        # Down the upper half of the last axis, which is the value's.
        canvas = self.page.locator("canvas.parallel")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        x, top, bottom = box["x"] + box["width"] - 46, box["y"] + 46, box["y"] + box["height"] - 24
        self.page.mouse.move(x, top - 5)
        self.page.mouse.down()
        self.page.mouse.move(x, (top + bottom) / 2, steps=4)
        self.page.mouse.up()
        self.see(".brush-chip", "rankme")
        values = [trial["rung_values"][-1] for trial in trials]
        low, high = min(values), max(values)
        middle = (low + high) / 2
        self.assertEqual(self.numbers(), [trial["number"] for trial in trials if trial["rung_values"][-1] >= middle])

    def test_points_can_be_reached_by_key_and_by_pointer(self):
        self.show(self.grid)
        chart = self.page.get_by_role("img", name="Best value so far")
        chart.focus()
        self.page.keyboard.press("Home")
        first = self.daemon.get(f"/sweeps/{self.grid}/trials")["trials"][0]
        self.see(".tip:visible", "Trial 0: ")
        self.see(".tip:visible", "optimizer.lr")
        self.page.keyboard.press("ArrowRight")
        self.see(".tip:visible", "Trial 1: ")
        self.page.keyboard.press("ArrowLeft")
        self.page.keyboard.press("Enter")
        self.wait_until(lambda: self.page.url.endswith(f"#/jobs/{first['job']}"), "the page of the run")
        self.see("h1")

    def test_the_best_so_far_against_trials_and_compute(self):
        for identifier, mode in ((self.grid, min), (self.mixed, min)):
            trials = self.daemon.get(f"/sweeps/{identifier}/trials")["trials"]
            with_value = [trial for trial in trials if trial["state"] == "succeeded" and trial["value"] is not None]
            self.show(identifier)
            card = self.page.locator(".plate", has_text="Best so far").first
            card.locator("summary").click()
            rows = card.locator("tbody tr")
            self.expect(rows).to_have_count(len(with_value))
            best = [mode(one["value"] for one in with_value[:count + 1]) for count in range(len(with_value))]
            shown = [float(text.replace(",", "")) for text in card.locator('[data-label="Best so far"]').all_inner_texts()]
            for one, other in zip(shown, best):
                self.assertAlmostEqual(one / other, 1, delta=6e-4)
            card.get_by_label("Best so far against").select_option("compute")
            self.expect(rows).to_have_count(len(with_value))
            self.expect(card.locator('thead th').first).to_have_text("Compute")
            final = float(card.locator('[data-label="Best so far"]').last.inner_text().replace(",", ""))
            self.assertAlmostEqual(final / self.daemon.get(f"/sweeps/{identifier}")["best"]["value"], 1, delta=6e-4)
            self.assertIn("by=compute", self.page.url)

    def test_the_rungs_say_which_trials_went_on(self):
        trials = self.daemon.get(f"/sweeps/{self.halving}/trials")["trials"]
        self.show(self.halving)
        rungs = self.page.locator(".rungs tbody tr")
        self.expect(rungs).to_have_count(2)
        stopped = sum(trial["stopped_at"] == 0 for trial in trials)
        self.assertGreater(stopped, 0)
        self.expect(rungs.first.locator('[data-label="Stopped"]')).to_have_text(str(stopped))
        self.expect(rungs.first.locator('[data-label="Went on"]')).to_have_text(str(len(trials) - stopped))
        self.expect(rungs.last.locator('[data-label="Reported"]')).to_have_text(str(len(trials) - stopped))
        self.expect(self.page.locator(".trials", has_text="at rung 0")).to_have_count(1)

    def test_the_command_trains_the_best_configuration_again(self):
        for identifier in (self.grid, self.halving, self.mixed):
            with self.subTest(sweep=identifier):
                self.show(identifier)
                self.page.get_by_text("Train it again with curl").click()
                command = self.see(".best-trial .curl code").inner_text()
                body = json.loads(re.search(r"-d '(.*)'$", command, re.S)[1].replace("'\\''", "'"))
                status, resolved = self.daemon.ask("POST", "/jobs?dry_run=true", body)
                self.assertEqual(status, 200, resolved)
                spec = resolved.get("jobs", [resolved])[0]["spec"]
                best = self.daemon.get(f"/sweeps/{identifier}")["best"]
                trained = self.daemon.job(best["job"])["spec"]
                for name in ("method", "loss", "optimizer", "batch_size", "dataset", "encoder", "augmentation", "epochs"):
                    self.assertEqual(spec[name], trained[name], name)
                self.expect(self.page.get_by_role("link", name="Duplicate & edit the run")).to_have_attribute(
                    "href", f"#/new?kind=train&from={best['job']}")

    def test_selected_trials_are_compared(self):
        self.show(self.grid)
        self.expect(self.page.get_by_role("link", name="Compare")).to_have_count(0)
        trials = {trial["number"]: trial["job"] for trial in self.ranking(self.grid)}
        first, second = self.numbers()[:2]
        self.page.get_by_label(f"Select trial {first}", exact=True).check()
        self.page.get_by_label(f"Select trial {second}", exact=True).check()
        self.expect(self.page.get_by_role("link", name="Compare 2 runs")).to_have_attribute(
            "href", f"#/compare?jobs={trials[first]},{trials[second]}")
        self.page.get_by_label("Select all shown trials").check()
        self.see(".toolbar a", f"Compare {len(trials)} runs")

    def test_the_table_can_be_downloaded(self):
        self.show(self.grid)
        with self.page.expect_download() as started:
            self.page.get_by_role("link", name="trials.csv").click()
        with open(started.value.path()) as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[0].split(",")[:len(CSV_COLUMNS)], CSV_COLUMNS)
        self.assertEqual(len(lines), 1 + len(self.numbers()))

    def test_a_sweep_is_followed_paused_resumed_extended_cancelled_and_deleted(self):
        body = sweep("followed", {RATE: {"log_uniform": [1e-4, 1e-2]}}, search={"name": "random"}, max_trials=30)
        identifier = self.begin({**body, "max_concurrent": 1})
        self.show(identifier)
        self.see(".trials .state.succeeded")
        # The trials arrive without a request for them.
        self.expected_errors.append("ERR_FAILED")
        self.page.route(f"**/sweeps/{identifier}/trials", lambda route: route.abort())
        before = len(self.numbers())
        self.wait_until(lambda: len(self.numbers()) > before, "another trial")
        self.page.unroute(f"**/sweeps/{identifier}/trials")
        self.press("Pause")
        self.see(".head .state", "paused")
        self.press("Resume")
        self.see(".head .state", "running")
        self.press("Extend…")
        self.page.get_by_label("Trials in all").fill("41")
        self.press("Extend")
        self.see(".facts", "of 41")
        self.press("Cancel…")
        self.page.keyboard.press("Escape")
        self.assertEqual(self.daemon.get(f"/sweeps/{identifier}")["state"], "running")
        self.press("Cancel…")
        self.press("Cancel the sweep")
        self.see(".head .state", "cancelled")
        self.press("Delete…")
        self.press("Delete the sweep")
        self.see("h1", "Sweeps")
        self.expect(self.page.locator(f'tr[data-key="{identifier}"]')).to_have_count(0)
        self.assertEqual(self.daemon.ask("GET", f"/sweeps/{identifier}")[0], 404)

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def test_a_refusal_is_shown_in_words(self):
        self.expected_errors += ["422"]
        self.show(self.halving)
        for number in ("2", ""):
            self.press("Extend…")
            self.page.get_by_label("Trials in all").fill(number)
            self.press("Extend")
            self.see(".problem .alert", "max_trials must be")
            self.expect(self.page.get_by_role("dialog")).to_have_count(0)

    def test_a_daemon_that_dies_leaves_the_page_marked_as_old_until_it_is_back(self):
        self.expected_errors += ["Failed to load resource", "ERR_"]
        self.show(self.grid)
        before = self.numbers()
        self.daemon.kill()
        self.see("#connection", "Shown as of")
        self.assertEqual(self.numbers(), before)
        self.daemon.start()
        self.expect(self.page.locator("#connection")).to_have_text("")
        identifier = self.begin(sweep("after the restart", {RATE: {"choice": [0.001]}}))
        self.page.evaluate("location.hash = '#/sweeps'")
        self.see(f'tr[data-key="{identifier}"] .state.succeeded')

    def test_a_sweep_that_does_not_exist_is_said_not_to(self):
        self.expected_errors += ["404"]
        self.open("#/sweeps/0123456789abcdef")
        self.see("[role=alert]")
        self.page.get_by_role("link", name="All sweeps").click()
        self.see("h1", "Sweeps")

    def test_every_width_and_scheme(self):
        for scheme in ("light", "dark"):
            self.open_context(color_scheme=scheme)
            for view in ("#/sweeps", f"#/sweeps/{self.halving}", f"#/sweeps/{self.mixed}"):
                self.open(view)
                self.see(".trials-bar")
                for details in self.page.locator("details > summary").all():
                    details.click()
                for width in WIDTHS:
                    with self.subTest(scheme=scheme, view=view, width=width):
                        self.page.set_viewport_size({"width": width, "height": 900})
                        self.check_width(view)
                        self.check_page()

    def test_names_of_any_script_stay_in_their_place(self):
        for name in ("W" * 200, "שלום " * 40, "<img src=x onerror=alert(1)>"):
            status, answer = self.daemon.ask("PATCH", f"/sweeps/{self.grid}", {"name": name, "labels": {name[:30].replace("=", ""): name[:60]}, "notes": name * 3})
            self.assertEqual(status, 200, answer)
            for view in ("#/sweeps", f"#/sweeps/{self.grid}"):
                self.open(view)
                self.see("main", name.strip()[:20])
                for width in WIDTHS:
                    with self.subTest(name=name[:10], view=view, width=width):
                        self.page.set_viewport_size({"width": width, "height": 900})
                        self.check_width(view)
        self.daemon.ask("PATCH", f"/sweeps/{self.grid}", {"name": "rates", "labels": None, "notes": None})


class SweepAccessTest(DashboardTest):
    token = "lab"

    def test_a_role_that_only_reads_sees_no_button_that_it_may_not_use(self):
        status, answer = self.daemon.ask("POST", "/sweeps", sweep("seen", {RATE: {"choice": [0.001]}}))
        self.assertEqual(status, 201, answer)
        secret = self.daemon.command("token", "create", "--name", "guest", "--role", "read").split()[-1]
        self.expected_errors += ["401"]
        self.page.goto(f"{self.daemon.url}/#token={secret}")
        self.see("#session", "guest (read)")
        for view, what in (("#/sweeps", "seen"), (f"#/sweeps/{answer['id']}", "seen")):
            self.page.evaluate("(view) => { location.hash = view; }", view)
            self.see("main", what)
            self.see(".trials-bar")
            for name in ("New sweep", "Pause", "Cancel", "Extend", "Delete", "Duplicate"):
                self.assertEqual(self.page.locator("main :is(a, button)", has_text=name).count(), 0, name)


class NoSweepsTest(DashboardTest):
    def test_the_empty_list_says_what_a_sweep_is(self):
        self.open("#/sweeps")
        self.see(".empty", "No sweeps yet")
        self.expect(self.page.get_by_role("link", name="Start a sweep")).to_have_attribute("href", "#/new?kind=sweep")
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.check_width("the empty list of sweeps")
