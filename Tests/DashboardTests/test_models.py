"""Models: uploads, what may be done with them, and the encoders that runs export."""

import urllib.request

from browser import DashboardTest
from daemon import training as training_job

WIDTHS = (390, 1440, 2560)


class ModelsTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.training = cls.daemon.queue(training_job("שלום " + "long name " * 15))[0]
        cls.daemon.wait_for(cls.training, "succeeded")
        with urllib.request.urlopen(f"{cls.daemon.url}/jobs/{cls.training}/export") as answer:
            cls.file = answer.read()

    def put(self, name):
        status, answer = self.daemon.put(f"/models/{name}", self.file)
        self.assertEqual(status, 201, answer)

    def choose(self, name="my encoder.safetensors", data=None):
        self.open("#/models")
        self.page.get_by_text("Upload a model").click()
        self.see("#upload-arch")
        self.page.locator("#upload-file").set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": data or self.file})

    def test_an_upload_can_be_used_and_deleted(self):
        self.choose()
        self.expect(self.page.locator("#upload-name")).to_have_value("my-encoder")
        self.page.get_by_label("Width").fill("16")
        self.page.get_by_label("Arch").select_option("resnet18")
        self.page.get_by_role("button", name="Upload", exact=True).click()
        row = self.see('tr[data-key="my-encoder"]')
        model = self.daemon.get("/models/my-encoder")
        self.expect(row).to_contain_text("resnet18, width 16, cifar stem")
        self.expect(row).to_contain_text(f"{model['parameters']:,}")
        self.expect(row).to_contain_text(model["digest"][:12])
        self.expect(row.get_by_role("link", name="Evaluate")).to_have_attribute("href", "#/new?kind=evaluate&model=my-encoder")
        self.expect(row.get_by_role("link", name="Start from it")).to_have_attribute("href", "#/new?kind=train&model=my-encoder")
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.check_width("the list of models")
        row.get_by_role("button", name="Delete…").click()
        self.page.get_by_role("button", name="Delete the model").click()
        self.expect(row).to_have_count(0)
        self.assertEqual(self.daemon.ask("GET", "/models/my-encoder")[0], 404)
        self.see(".empty", "No models yet")

    def test_a_model_can_be_downloaded(self):
        self.put("kept")
        self.open("#/models")
        with self.page.expect_download() as started:
            self.page.get_by_role("link", name="kept").click()
        with open(started.value.path(), "rb") as file:
            self.assertEqual(file.read(), self.file)
        self.assertEqual(self.daemon.delete("/models/kept"), 204)

    def test_what_does_not_fit_the_file_is_refused_at_its_field(self):
        self.expected_errors += ["422"]
        self.choose()
        self.page.get_by_label("Width").fill("32")
        self.page.get_by_role("button", name="Upload", exact=True).click()
        self.see(".upload [id=upload-width-error]:not(:empty), .upload .alert")
        self.expect(self.page.get_by_label("Width")).to_have_value("32")

    def test_a_file_that_is_no_model_is_refused_in_words(self):
        self.expected_errors += ["422", "400"]
        self.choose("words.safetensors", b"no tensors here")
        self.page.get_by_role("button", name="Upload", exact=True).click()
        self.see(".upload .alert")

    def test_a_model_in_use_is_not_deleted(self):
        self.expected_errors += ["409"]
        self.put("used")
        job = self.daemon.queue(training_job("starts from it", init_from={"model": "used"}, max_steps=None, epochs=100_000))[0]
        self.open("#/models")
        self.page.locator('tr[data-key="used"]').get_by_role("button", name="Delete…").click()
        self.page.get_by_role("button", name="Delete the model").click()
        self.see(".problem .alert", "used")
        self.daemon.change(job, "cancel")
        self.daemon.wait_for(job, "cancelled")

    def test_the_encoders_of_runs_can_be_exported(self):
        self.open("#/models")
        row = self.see(f'tr[data-key="{self.training}"]')
        self.expect(row.get_by_role("link").first).to_have_attribute("href", f"#/jobs/{self.training}")
        with self.page.expect_download() as started:
            row.get_by_role("link", name="safetensors").click()
        with open(started.value.path(), "rb") as file:
            self.assertEqual(file.read(), self.file)
        for scheme in ("light", "dark"):
            self.open_context(color_scheme=scheme)
            self.open("#/models")
            self.see(f'tr[data-key="{self.training}"]')
            self.page.get_by_text("Upload a model").click()
            self.see("#upload-arch")
            for width in WIDTHS:
                self.page.set_viewport_size({"width": width, "height": 900})
                self.check_width("the list of models")
                self.check_page()
