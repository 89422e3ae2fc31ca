"""The page of a run: what it says, what may be done on it, and that its numbers are those of the API."""

import re
from decimal import ROUND_HALF_UP, Decimal

from browser import DashboardTest
from daemon import endless, training

WIDTHS = (390, 1440, 2560)
ONLINE = {"probe": True, "knn": True, "every_epochs": 1, "holdout": 0.25}
RUN = {"max_steps": 12, "dataset": {"name": "synthetic", "limit": 64}, "online": ONLINE, "epochs": 6,
       "checkpoint": {"every_epochs": 2}}


def percent(share):
    """As the page has it: halves are rounded up."""
    return f"{Decimal(share * 100).quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


class RunTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.run_id,) = cls.daemon.queue({**training("first", **RUN), "labels": {"team": "a"}})
        cls.daemon.wait_for(cls.run_id, "succeeded")
        checkpoint = {"job": cls.run_id, "which": "last"}
        spec = {"checkpoint": checkpoint, "dataset": {"name": "synthetic"}, "protocol": "knn"}
        cls.evaluation, cls.embedding = cls.daemon.queue(
            {"kind": "evaluate", "spec": spec},
            {"kind": "embed", "spec": {"checkpoint": checkpoint, "dataset": {"name": "synthetic"}, "split": "test"}})
        for job in (cls.evaluation, cls.embedding):
            cls.daemon.wait_for(job, "succeeded")

    def section(self, name):
        return self.page.locator(f'section[aria-label="{name}"]')

    def test_every_section_is_there_and_fits_every_window(self):
        sections = {
            self.run_id: ["Evaluations", "Curves", "Spectrum and spread of the features", "Augmented pairs", "Embedding",
                          "Specification", "Log", "Events", "History", "Files"],
            self.evaluation: ["Result", "Curves", "Specification", "Needs", "Log", "Events", "History", "Files"],
            self.embedding: ["Specification", "Needs", "Log", "Events", "History", "Files"],
        }
        for job, names in sections.items():
            self.open(f"#/jobs/{job}")
            for name in names:
                self.expect(self.section(name)).to_be_visible()
            self.expect(self.page.locator("section.run-section:visible")).to_have_count(len(names))
            for width in WIDTHS:
                with self.subTest(job=job, width=width):
                    self.page.set_viewport_size({"width": width, "height": 900})
                    self.check_width("the run")

    def test_the_evaluations_of_a_training_have_the_numbers_of_the_api(self):
        result = self.daemon.job(self.evaluation)["result"]
        self.open(f"#/jobs/{self.run_id}")
        row = self.section("Evaluations").locator("tbody tr").first
        cells = {"Top-1": percent(result["top1"]), "Untrained": percent(result["baselines"]["untrained"]),
                 "Raw pixels": percent(result["baselines"]["raw_pixels"]), "Top-5": percent(result["top5"]),
                 "95% interval": " to ".join(map(percent, result["top1_interval"]))}
        for name, text in cells.items():
            self.expect(row.locator(f'[data-label="{name}"]')).to_have_text(text)
        self.see(".facts", percent(result["top1"]))

    def test_an_evaluation_shows_classes_and_what_is_taken_for_what(self):
        result = self.daemon.job(self.evaluation)["result"]
        self.open(f"#/jobs/{self.evaluation}")
        self.expect(self.page.locator(".result .main .figure")).to_have_text(percent(result["top1"]))
        rows = self.page.locator(".class-bars tbody tr")
        self.expect(rows).to_have_count(len(result["per_class"]))
        for index, one in enumerate(result["per_class"]):
            self.assertIn(percent(one["top1"]), rows.nth(index).inner_text())
        cells = self.page.locator(".matrix tbody td")
        self.expect(cells.first).to_be_visible()
        self.assertEqual([int(text) for text in cells.all_inner_texts()], sum(result["confusion"], []))

    def test_a_cell_of_the_confusion_opens_its_images(self):
        result = self.daemon.job(self.evaluation)["result"]
        count, label, taken = max((count, label, taken) for label, row in enumerate(result["confusion"])
                                  for taken, count in enumerate(row) if label != taken)
        self.open(f"#/jobs/{self.evaluation}")
        self.page.locator(".matrix tbody tr").nth(label).locator("td").nth(taken).locator("button").click()
        names = [one["class"] for one in result["per_class"]]
        self.see(".opened strong", f"{names[label]} taken for {names[taken]}: {count}")
        self.expect(self.page.locator(".opened .image")).to_have_count(min(count, 60))
        self.expect(self.page.locator(".opened img").first).to_have_js_property("naturalWidth", 32)

    def test_the_interval_of_a_class_is_wilsons(self):
        self.open()
        low, high = self.page.evaluate('async () => (await import("/js/run/result.js")).wilson(0.8986, 10000)')
        # The daemon's own, of a real evaluation.
        self.assertAlmostEqual(low, 0.892529793093317, 6)
        self.assertAlmostEqual(high, 0.9043640834055794, 6)

    def test_the_specification_shows_what_differs_from_the_preset(self):
        spec = self.daemon.job(self.run_id)["spec"]
        status, resolved = self.daemon.ask("POST", "/jobs?dry_run=true", {
            "kind": "train", "spec": {"preset": "small", "method": "vicreg", "dataset": {"name": "synthetic"}}})
        self.assertEqual(status, 200, resolved)

        def flat(value, path=""):
            if not isinstance(value, dict):
                return {path: value}
            return {key: one for name, member in value.items()
                    for key, one in flat(member, f"{path}.{name}" if path else name).items()}
        own, preset = flat(spec), flat(resolved["spec"])
        expected = sorted(path for path in own if own[path] != preset.get(path))
        self.open(f"#/jobs/{self.run_id}")
        section = self.section("Specification")
        section.scroll_into_view_if_needed()
        self.expect(section.locator("code.differs")).to_have_text(expected)
        self.see("section[aria-label=Specification]", f"{len(expected)} fields differ from preset “small”.")
        section.get_by_label("All fields").check()
        self.expect(section.locator("tbody tr")).to_have_count(len(set(own) | {one for one in preset if "." in one
            and any(path.startswith(one.rsplit(".", 1)[0] + ".") for path in own)}))
        section.get_by_label("As JSON").check()
        self.expect(section.locator("pre")).to_contain_text('"preset": "small"')

    def test_name_notes_and_labels_are_edited_in_place(self):
        (job,) = self.daemon.queue(training("to be renamed"))
        self.daemon.wait_for(job, "succeeded")
        self.open(f"#/jobs/{job}")
        self.page.get_by_role("button", name="Edit name").click()
        self.page.get_by_label("name", exact=True).fill("a better name")
        self.page.keyboard.press("Enter")
        self.see("h1", "a better name")
        self.page.get_by_role("button", name="Edit labels").click()
        self.page.get_by_label("labels", exact=True).fill("team=a=b\nround=2")
        self.page.get_by_role("button", name="Save").click()
        self.expect(self.page.locator(".labels li")).to_have_text(["round: 2", "team: a=b"])
        self.page.get_by_role("button", name="Edit notes").click()
        self.page.get_by_label("notes", exact=True).fill("two\nlines")
        self.page.get_by_role("button", name="Save").click()
        self.see(".notes", "two")
        changed = self.daemon.job(job)
        self.assertEqual((changed["name"], changed["labels"], changed["notes"]),
                         ("a better name", {"team": "a=b", "round": "2"}, "two\nlines"))
        self.page.get_by_role("button", name="Edit labels").click()
        self.page.get_by_label("labels", exact=True).fill("round=3")
        self.page.get_by_role("button", name="Save").click()
        self.expect(self.page.locator(".labels li")).to_have_text(["round: 3"])
        self.assertEqual(self.daemon.job(job)["labels"], {"round": "3"})

    def test_a_refused_edit_is_said_in_words_and_nothing_typed_is_lost(self):
        self.expected_errors += ["422"]
        self.open(f"#/jobs/{self.run_id}")
        self.page.get_by_role("button", name="Edit name").click()
        field = self.page.get_by_label("name", exact=True)
        field.fill("x" * 300)
        self.page.get_by_role("button", name="Save").click()
        self.see(".edit-form [role=alert]")
        self.assertEqual(field.input_value(), "x" * 300)
        self.page.get_by_role("button", name="Cancel").click()
        self.see("h1", "first")
        self.page.get_by_role("button", name="Edit labels").click()
        self.page.get_by_label("labels", exact=True).fill("no value")
        self.page.get_by_role("button", name="Save").click()
        self.see(".edit-form [role=alert]", "“no value” must be KEY=VALUE.")

    def test_an_edit_does_not_overwrite_that_of_another(self):
        (job,) = self.daemon.queue(training("mine"))
        self.daemon.wait_for(job, "succeeded")
        self.open(f"#/jobs/{job}")
        self.page.get_by_role("button", name="Edit name").click()
        self.page.get_by_label("name", exact=True).fill("my new name")
        self.daemon.ask("PATCH", f"/jobs/{job}", {"name": "theirs"})
        self.page.get_by_role("button", name="Save").click()
        self.see(".edit-form [role=alert]", "“theirs”")
        self.assertEqual(self.daemon.job(job)["name"], "theirs")
        self.page.get_by_role("button", name="Save").click()
        self.see("h1", "my new name")

    def test_a_run_is_paused_resumed_and_stopped(self):
        (job,) = self.daemon.queue(endless("goes on"))
        self.open(f"#/jobs/{job}")
        self.see(".chart .value", ".")
        self.page.get_by_role("button", name="Pause").click()
        self.see(".head .state.paused")
        self.page.get_by_role("button", name="Resume").click()
        self.see(".head .state.running")
        self.page.get_by_role("button", name="Stop now").click()
        self.page.get_by_role("button", name="Keep it").click()
        self.assertIn(self.daemon.job(job)["state"], ("running", "queued"))
        self.page.get_by_role("button", name="Stop now").click()
        self.page.get_by_role("button", name="Stop job").click()
        self.see(".head .state.cancelled")
        self.see('section[aria-label="History"]', "paused")

    def test_a_run_can_be_duplicated_and_copied(self):
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.open(f"#/jobs/{self.run_id}")
        self.expect(self.page.get_by_role("link", name="Duplicate & edit")).to_have_attribute("href", f"#/new?from={self.run_id}")
        self.page.get_by_role("button", name="Copy as curl").click()
        self.see(".run-curl", "Copied.")
        copied = self.page.evaluate("() => navigator.clipboard.readText()")
        self.assertIn('"preset":"small"', copied)
        self.assertIn("/jobs -H", copied)

    def test_the_log_is_searched_filtered_and_followed(self):
        self.open(f"#/jobs/{self.run_id}")
        log = self.section("Log")
        lines = log.locator(".line")
        self.expect(lines.first).to_be_visible()
        log.get_by_label("Search the log").fill("checkpoint")
        found = self.page.locator(".log-controls .quiet")
        self.expect(found).to_contain_text(" of ")
        for text in lines.all_inner_texts():
            self.assertIn("checkpoint", text.lower())
        self.expect(log.locator("mark").first).to_have_text("checkpoint")
        log.get_by_label("Search the log").fill("")
        log.get_by_label("Level").select_option("error")
        self.expect(lines).to_have_count(0)
        merged = self.page.evaluate("""async () => {
          const { overlap } = await import("/js/run/log.js");
          return [overlap(["a", "b", "c"], ["b", "c", "d"]), overlap(["a"], ["x"]), overlap([], ["a"]), overlap(["a", "a"], ["a", "a", "b"])];
        }""")
        self.assertEqual(merged, [2, 0, 0, 2])

    def test_files_and_exports_can_be_downloaded(self):
        self.open(f"#/jobs/{self.run_id}")
        files = self.section("Files")
        names = [one["name"] for one in self.daemon.get(f"/jobs/{self.run_id}/checkpoints")["checkpoints"]]
        for name in names + ["projection.json", "spectrum.json", "views.png"]:
            self.expect(files.get_by_role("link", name=name)).to_be_visible()
        with self.page.expect_download() as download:
            files.get_by_role("link", name="Encoder, ONNX").click()
        self.assertTrue(download.value.suggested_filename.endswith(".onnx"))
        files.get_by_label("Checkpoint").select_option(names[0])
        self.expect(files.get_by_role("link", name="Encoder, safetensors")).to_have_attribute(
            "href", re.compile(f"checkpoint={re.escape(names[0])}$"))

    def test_events_are_shown_on_request(self):
        self.open(f"#/jobs/{self.run_id}")
        events = self.section("Events")
        events.get_by_text("Show events").click()
        for word in ("started", "checkpoint", "evaluation", "artifact", "health", "end"):
            self.expect(events.locator("tbody tr", has_text=word).first).to_be_visible()

    def test_what_a_job_lacks_is_not_there(self):
        (job,) = self.daemon.queue(training("plain", online=None))
        self.daemon.wait_for(job, "succeeded")
        self.open(f"#/jobs/{job}")
        self.expect(self.section("Curves")).to_be_visible()
        for name in ("Embedding", "Spectrum and spread of the features", "Result", "Needs"):
            self.expect(self.section(name)).to_be_hidden()
        self.see('section[aria-label="Evaluations"]', "Not evaluated yet.")


class ReadOnlyRunTest(DashboardTest):
    token = "lab"

    def test_a_reader_sees_no_button_that_it_may_not_use(self):
        (job,) = self.daemon.queue(endless("looked at"))
        self.daemon.wait_for(job, "running")
        secret = self.daemon.command("token", "create", "--name", "guest", "--role", "read").split()[-1]
        self.page.goto(f"{self.daemon.url}/#token={secret}")
        self.see("#session", "guest (read)")
        self.open(f"#/jobs/{job}")
        self.see(".run-head h1", "looked at")
        self.see(".chart .value", ".")
        self.expect(self.page.get_by_role("button", name="Copy as curl")).to_be_visible()
        for name in ("Pause", "Cancel", "Stop now", "Edit name", "Edit labels", "Evaluate", "Duplicate & edit"):
            self.expect(self.page.locator("main").get_by_text(name, exact=True)).to_have_count(0)
            self.expect(self.page.locator("main").get_by_role("button", name=name)).to_have_count(0)
        self.daemon.change(job, "cancel")
