"""The form of a sweep: any field is varied with one click, and the daemon's dry run says what it takes."""

from forms import FormTest


class NewSweepTest(FormTest):
    def start_over(self):
        self.open_form("?kind=sweep")
        self.see(".verdict", "Choose at least one field to vary.")
        self.choose("/base/spec/dataset/name", "synthetic")

    def vary(self, name):
        self.page.get_by_role("button", name=f"Vary {name}", exact=True).click()

    def card(self, name):
        return self.page.locator(".parameter", has=self.page.locator("strong", has_text=name))

    def test_a_sweep_is_made_of_fields_and_sent_as_its_json_shows(self):
        # What is half filled in is checked as well.
        self.expected_errors.append("422")
        self.start_over()
        self.vary("Learning rate")
        self.see_json(lambda body: body["space"] == {"/optimizer/lr": {"log_uniform": [0.0003, 0.03]}})
        self.expect(self.control("/base/spec/optimizer/lr")).to_be_disabled()
        self.see_ready()
        self.see(".verdict", "20 trainings at most")
        self.page.locator("#space-add").select_option("/batch_size")
        card = self.card("Batch size")
        card.get_by_label("From").fill("32")
        card.get_by_label("To").fill("64")
        card.get_by_label("Step").fill("32")
        self.page.locator("#space-add").select_option("/augmentation/crop_scale/0")
        self.vary("Method")
        self.card("Method").get_by_label("Values").fill("vicreg, simclr")
        self.page.locator("#space-add").select_option("/loss/temperature")
        temperature = self.card("Temperature")
        temperature.get_by_label("From").fill("0.1")
        temperature.get_by_label("To").fill("0.5")
        temperature.get_by_label("Only where").select_option("/method")
        temperature.get_by_label("is one of").fill("simclr")
        self.choose("/search/name", "random")
        self.control("/max_trials").fill("3")
        self.control("/evaluate").check()
        self.choose("/evaluate/protocol", "knn")
        self.control("/early_stopping").check()
        self.control("/early_stopping/max_epochs").fill("4")
        self.control("/name").fill("made by hand")
        self.see_json(lambda body: body["space"] == {
            "/optimizer/lr": {"log_uniform": [0.0003, 0.03]}, "/batch_size": {"int": [32, 64], "step": 32},
            "/augmentation/crop_scale/0": {"uniform": [0.1, 0.4]}, "/method": {"choice": ["vicreg", "simclr"]},
            "/loss/temperature": {"uniform": [0.1, 0.5], "if": {"/method": "simclr"}}})
        self.see_ready()
        self.see(".verdict", "3 trainings at most")
        sent = self.start()
        self.assertEqual(sent["base"]["spec"], {"preset": "small", "dataset": {"name": "synthetic"}})
        self.wait_until(lambda: "#/sweeps/" in self.page.url, "the page of the sweep")
        sweep = self.daemon.get("/sweeps?limit=1")["sweeps"][0]
        self.assertEqual(sweep["name"], "made by hand")
        spec = self.daemon.get(f"/sweeps/{sweep['id']}")["spec"]
        self.assertEqual(spec["space"], sent["space"])
        self.assertEqual(spec["evaluate"], {"protocol": "knn"})
        self.assertEqual(spec["early_stopping"]["max_epochs"], 4)
        self.daemon.ask("POST", f"/sweeps/{sweep['id']}/cancel", {})
        # The same again, changed.
        self.open_form(f"?kind=sweep&from={sweep['id']}")
        self.expect(self.card("Temperature").get_by_label("is one of")).to_have_value("simclr")
        self.see_json(lambda body: body["space"] == sent["space"] and body["name"] == "made by hand")
        self.see_ready()

    def test_errors_stand_at_their_parameter(self):
        self.expected_errors.append("422")
        self.start_over()
        self.vary("Learning rate")
        card = self.card("Learning rate")
        card.get_by_label("From").fill("1")
        self.expect(card.locator(".error")).to_contain_text("is an empty range")
        self.expect(card.get_by_label("Type")).to_have_attribute("aria-invalid", "true")
        card.get_by_label("Type").select_option("choice")
        self.expect(card.locator(".error")).to_have_text("")
        self.expect(card.get_by_label("Values")).to_have_value("1, 0.03")
        card.get_by_label("Values").fill("0.1, much")
        self.expect(card.locator(".error")).to_contain_text("must be")
        card.get_by_role("button", name="Do not vary").click()
        self.see(".verdict", "Choose at least one field to vary.")
        self.expect(self.control("/base/spec/optimizer/lr")).to_be_enabled()

    def test_a_choice_and_a_box_are_varied_over_all_their_values(self):
        self.start_over()
        self.vary("Schedule")
        self.page.locator("#filter").fill("shuffle")
        self.vary("Shuffle")
        self.see_json(lambda body: body["space"] == {
            "/schedule/name": {"choice": ["constant", "cosine"]}, "/shuffle": {"choice": [True, False]}})
        self.see_ready()
        self.see(".verdict", "The space has 4 configurations.")
