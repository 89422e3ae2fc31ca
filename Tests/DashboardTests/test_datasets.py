"""Datasets: the list, an upload from its first byte to its pictures, and the page of one."""

import re

from browser import DashboardTest
from daemon import training, wait_until
from files import archive, pictures

WIDTHS = (390, 1440, 2560)
CLASSES = ["cat", "قطة", "a class with a name that goes on and on " + "W" * 60]
LONG = "n" * 64


class DatasetsTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        files = {**pictures(CLASSES), "train/cat/broken.png": b"no image", "train/cat/notes.txt": b"words"}
        cls.archive = archive(files)
        cls.upload("pets", cls.archive, "?side=24&on_bad_image=skip")
        cls.upload(LONG, cls.archive, "?side=24&on_bad_image=skip")
        cls.upload("broken", cls.archive, "?side=24")

    @classmethod
    def upload(cls, name, data, query=""):
        status, answer = cls.daemon.put(f"/datasets/{name}{query}", data)
        assert status == 202, answer
        return wait_until(lambda: (found := cls.daemon.get(f"/datasets/{name}"))["state"] != "importing" and found,
                          f"dataset {name}")

    def choose(self, data, name="birds.tar.gz"):
        """Opens the form and chooses a file: bytes, or the path of one."""
        self.open("#/datasets")
        self.see("table.library tbody tr")
        self.page.get_by_text("Upload a dataset").click()
        self.see("#upload-side")
        file = {"name": name, "mimeType": "application/gzip", "buffer": data}
        self.page.locator("#upload-file").set_input_files(data if isinstance(data, str) else file)

    def facts(self):
        names = self.page.locator(".facts dt").all_inner_texts()
        return dict(zip(names, self.page.locator(".facts dd").all_inner_texts()))

    def test_the_list_shows_what_the_api_says(self):
        self.open("#/datasets")
        for dataset in self.daemon.get("/datasets")["datasets"]:
            row = self.page.locator(f'tr[data-key="{dataset["name"]}"]')
            self.expect(row.locator(".state")).to_have_text(dataset["state"])
            if dataset["counts"]:
                self.expect(row.locator('[data-label="Training images"]')).to_have_text(f"{dataset['counts']['train']:,}")
                self.expect(row.locator('[data-label="Test images"]')).to_have_text(f"{dataset['counts']['test']:,}")
                self.expect(row.locator('[data-label="Classes"]')).to_have_text(str(len(dataset["classes"])))
            self.expect(row.locator('[data-label="Source"]')).to_have_text(dataset["source"])
        self.see('tr[data-key="broken"]', "failed")

    def test_the_page_shows_what_the_api_says(self):
        self.open("#/datasets/pets")
        self.see(".sample")
        dataset = self.daemon.get("/datasets/pets")
        facts = self.facts()
        self.assertEqual(facts["Images, train"], str(dataset["counts"]["train"]))
        self.assertEqual(facts["Images, test"], str(dataset["counts"]["test"]))
        self.assertEqual(facts["Classes"], str(len(CLASSES)))
        self.assertEqual(facts["Digest"], dataset["digest"])
        self.assertEqual(facts["Image size"], "24 × 24 px, colour")
        for name, values in (("Mean per channel", dataset["mean"]), ("Std per channel", dataset["std"])):
            for shown, value in zip(facts[name].split(", "), values, strict=True):
                self.assertAlmostEqual(float(shown), value, delta=5e-4)
        for place, label in enumerate(dataset["classes"]):
            figures = self.page.locator(".classes tbody tr").nth(place).locator(".figure").all_inner_texts()
            self.assertEqual(figures, [str(dataset["class_counts"][split][label]) for split in ("train", "test")])
        self.see("main", "2 files skipped")
        for skipped in dataset["skipped"]:
            self.see("main", skipped["path"])
            self.see("main", skipped["reason"])
        self.expect(self.page.get_by_role("link", name="Train on this")).to_have_attribute(
            "href", "#/new?kind=train&dataset=pets")

    def test_the_sample_is_chosen_by_split_class_and_number(self):
        self.open("#/datasets/pets")
        sheet = self.see(".sample")
        self.wait_until(lambda: sheet.evaluate("(image) => image.complete && image.naturalWidth"), "the sheet")
        self.page.get_by_label("Split").select_option("test")
        self.expect(sheet).to_have_attribute("src", re.compile("split=test"))
        self.page.get_by_role("button", name="cat", exact=True).click()
        self.expect(sheet).to_have_attribute("src", re.compile("class=cat"))
        self.expect(self.page.get_by_label("Class", exact=True)).to_have_value("cat")
        self.page.get_by_label("Images", exact=True).select_option("144")
        self.assertIn("class=cat", self.page.url)
        self.page.reload()
        sheet = self.see(".sample")
        self.expect(sheet).to_have_attribute("src", re.compile(r"split=test&count=144&class=cat"))
        self.wait_until(lambda: sheet.evaluate("(image) => image.complete && image.naturalWidth"), "the sheet")

    def test_an_upload_becomes_a_dataset(self):
        self.choose(archive(pictures(["owl", "tit"])))
        self.expect(self.page.locator("#upload-name")).to_have_value("birds")
        self.page.get_by_label("Side").fill("20")
        self.page.get_by_label("Fit").select_option("contain")
        with self.page.expect_request("**/datasets/birds?*") as sent:
            self.page.get_by_role("button", name="Upload", exact=True).click()
        self.assertEqual(sent.value.method, "PUT")
        self.see("h1", "birds")
        self.see(".head .state", "ready")
        self.see(".sample")
        dataset = self.daemon.get("/datasets/birds")
        self.assertEqual(dataset["shape"], [3, 20, 20])
        spec = self.daemon.job(dataset["job"])["spec"]
        self.assertEqual((spec["fit"], spec["side"]), ("contain", 20))
        self.page.get_by_role("button", name="Delete…").click()
        self.page.get_by_role("button", name="Keep it").click()
        self.assertEqual(self.daemon.get("/datasets/birds")["state"], "ready")
        self.page.get_by_role("button", name="Delete…").click()
        self.page.get_by_role("button", name="Delete the dataset").click()
        self.see("h1", "Datasets")
        self.expect(self.page.locator('tr[data-key="birds"]')).to_have_count(0)

    def test_a_dropped_file_is_taken(self):
        self.open("#/datasets")
        self.see("table.library tbody tr")
        self.page.evaluate("""() => {
          const data = new DataTransfer();
          data.items.add(new File(["words"], "Some Birds (2).tar.gz"));
          for (const name of ["dragenter", "dragover", "drop"]) {
            document.querySelector("main h1").dispatchEvent(
              new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data }));
          }
        }""")
        self.see(".drop-zone", "Some Birds (2).tar.gz")
        self.expect(self.page.locator("#upload-name")).to_have_value("Some-Birds-2")

    def test_errors_stand_at_their_fields_and_nothing_is_lost(self):
        self.expected_errors += ["422"]
        self.choose(self.archive)
        self.page.locator("#upload-name").fill("two words")
        self.page.get_by_label("Side").fill("3")
        self.page.get_by_role("button", name="Upload", exact=True).click()
        self.see("#upload-name-error", "letters, digits")
        self.see("#upload-side-error", "from 16 to 256")
        self.expect(self.page.locator("#upload-name")).to_have_value("two words")
        self.expect(self.page.get_by_label("Side")).to_have_value("3")
        self.expect(self.page.get_by_role("button", name="Upload", exact=True)).to_be_enabled()

    def test_a_name_that_is_taken_is_refused_in_words(self):
        self.expected_errors += ["409", "ERR_"]
        self.choose(self.archive)
        self.page.locator("#upload-name").fill("pets")
        self.page.get_by_role("button", name="Upload", exact=True).click()
        self.see(".upload .alert")

    def test_an_upload_shows_its_progress_survives_other_pages_and_can_be_cancelled(self):
        self.expected_errors += ["ERR_"]
        path = f"{self.daemon.folder}/slow.tar"
        with open(path, "wb") as file:
            file.truncate(20_000_000)
        self.choose(path)
        client = self.context.new_cdp_session(self.page)
        client.send("Network.enable")
        client.send("Network.emulateNetworkConditions", {
            "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000})
        self.page.get_by_role("button", name="Upload", exact=True).click()
        self.see(".upload-progress", "of 20.0 MB")
        self.page.evaluate("location.hash = '#/sweeps'")
        self.see("h1", "Sweeps")
        self.page.evaluate("location.hash = '#/datasets'")
        self.see(".upload-progress", "slow")
        self.page.get_by_role("button", name="Cancel the upload").click()
        self.see(".upload .alert", "The upload was cancelled.")
        self.assertEqual(self.daemon.ask("GET", "/datasets/slow")[0], 404)

    def test_a_failed_import_says_why(self):
        self.open("#/datasets/broken")
        dataset = self.daemon.get("/datasets/broken")
        self.see("[role=alert]", dataset["message"])
        self.expect(self.page.get_by_role("link", name="The import's job and its log")).to_have_attribute(
            "href", f"#/jobs/{dataset['job']}")
        self.expect(self.page.get_by_role("link", name="Train on this")).to_have_count(0)

    def test_a_dataset_in_use_is_not_deleted(self):
        self.expected_errors += ["409"]
        job = self.daemon.queue(training("uses it", dataset={"name": LONG}, image_size=24, drop_last=True, max_steps=None, epochs=100_000))[0]
        self.open(f"#/datasets/{LONG}")
        self.page.get_by_role("button", name="Delete…").click()
        self.page.get_by_role("button", name="Delete the dataset").click()
        self.see(".problem .alert", job)
        self.daemon.change(job, "cancel")

    def test_a_built_in_dataset_has_no_button_to_delete_it(self):
        self.open("#/datasets/synthetic")
        self.see(".sample")
        self.see(".classes tbody tr")
        self.expect(self.page.get_by_role("button", name="Delete")).to_have_count(0)
        self.expect(self.page.get_by_role("link", name="Train on this")).to_have_count(1)

    def test_a_dataset_that_does_not_exist_is_said_not_to(self):
        self.expected_errors += ["404"]
        self.open("#/datasets/none")
        self.see("[role=alert]", "none")

    def test_every_width_and_scheme(self):
        for scheme in ("light", "dark"):
            self.open_context(color_scheme=scheme)
            for view in ("#/datasets", "#/datasets/pets", f"#/datasets/{LONG}", "#/datasets/broken", "#/datasets/synthetic"):
                self.open(view)
                self.see(".state")
                if view == "#/datasets":
                    self.page.get_by_text("Upload a dataset").click()
                    self.see("#upload-side")
                for width in WIDTHS:
                    with self.subTest(scheme=scheme, view=view, width=width):
                        self.page.set_viewport_size({"width": width, "height": 900})
                        self.check_width(view)
                        self.check_page()


class DatasetAccessTest(DashboardTest):
    token = "lab"

    def test_a_role_that_only_reads_sees_no_button_that_it_may_not_use(self):
        secret = self.daemon.command("token", "create", "--name", "guest", "--role", "read").split()[-1]
        self.expected_errors += ["401"]
        self.page.goto(f"{self.daemon.url}/#token={secret}")
        self.see("#session", "guest (read)")
        for view in ("#/datasets", "#/datasets/synthetic", "#/models"):
            self.page.evaluate("(view) => { location.hash = view; }", view)
            self.see("h1", {"#/datasets": "Datasets", "#/models": "Models"}.get(view, "synthetic"))
            self.see(".state, .empty")
            for name in ("Upload", "Train on this", "Delete"):
                self.assertEqual(self.page.locator("main :is(a, button, summary)", has_text=name).count(), 0, name)
