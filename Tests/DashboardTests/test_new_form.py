"""The form of a training: made from the schema, with the preset's values, in step with its JSON."""

import json

from daemon import training
from forms import FormTest


class NewFormTest(FormTest):
    def plain(self, spec):
        """What the daemon makes of a specification."""
        status, answer = self.daemon.ask("POST", "/jobs?dry_run=true", {"kind": "train", "spec": spec})
        assert status == 200, answer
        return answer["spec"]

    def test_every_field_of_the_schema_has_its_preset_value(self):
        self.open_form()
        for preset in ("small", "fashion-hour", "simclr-cifar", "byol-cifar", "sigreg-cifar"):
            self.choose("/spec/preset", preset)
            self.see_ready()
            self.unfold()
            spec = self.plain({"preset": preset})
            shown = self.page.evaluate(VALUES)
            leaves = dict(walk(spec, "/spec"))
            for place, value in leaves.items():
                if place in ("/spec/preset", "/spec/init_from") or place.startswith(IRRELEVANT[preset]):
                    continue
                with self.subTest(preset=preset, place=place):
                    self.assertIn(place, shown)
                    self.assertIn(shown[place], ("", "false", "null") if value is None else (written(value),))

    def test_every_member_of_the_schema_has_a_field(self):
        self.open_form()
        schemas = self.daemon.get("/openapi.json")["components"]["schemas"]
        there = self.page.evaluate("() => [...document.querySelectorAll('[data-pointer]')].map((one) => one.dataset.pointer)")
        for place in members(schemas["TrainSpecification"], "/spec"):
            with self.subTest(place=place):
                self.assertTrue(any(one == place or one.startswith(f"{place}/") for one in there))

    def test_fields_of_another_method_are_not_shown(self):
        self.open_form()
        self.see_ready()
        self.expect(self.control("/spec/loss/cov")).to_have_count(1)
        self.expect(self.control("/spec/loss/temperature")).to_have_count(0)
        self.expect(self.control("/spec/predictor/widths")).to_have_count(0)
        self.control("/spec/loss/cov").fill("2")
        self.choose("/spec/method", "byol")
        self.expect(self.control("/spec/loss/cov")).to_have_count(0)
        self.see(".notice", "Covariance weight")
        self.see_ready()
        self.expect(self.control("/spec/predictor/widths")).to_have_value("256, 128")
        self.see_json(lambda body: body["jobs"][0]["spec"] == {"preset": "small", "method": "byol"})
        # What was set aside comes back.
        self.choose("/spec/method", "vicreg")
        self.expect(self.control("/spec/loss/cov")).to_have_value("2")
        self.see_json(lambda body: body["jobs"][0]["spec"] == {"preset": "small", "loss": {"cov": 2}})

    def test_what_is_changed_is_marked_and_can_be_reset(self):
        self.open_form()
        self.control("/spec/epochs").fill("7")
        self.control("/spec/seed").fill("3")
        field = self.field("/spec/epochs")
        self.expect(field.locator(".was")).to_contain_text("Reset to 4")
        field.get_by_role("button", name="Reset").click()
        self.expect(self.control("/spec/epochs")).to_have_value("4")
        self.expect(field.locator(".was")).to_be_hidden()
        self.see_json(lambda body: body["jobs"][0]["spec"] == {"preset": "small", "seed": 3})

    def test_another_preset_keeps_what_was_changed_and_says_so(self):
        self.open_form()
        self.control("/spec/epochs").fill("70")
        self.control("/spec/loss/cov").fill("2")
        self.choose("/spec/preset", "simclr-cifar")
        self.see(".notice", "Epochs")
        self.see(".notice", "Not sent, as the choice has no such field: Covariance weight")
        self.expect(self.control("/spec/epochs")).to_have_value("70")
        self.see_json(lambda body: body["jobs"][0]["spec"] == {"preset": "simclr-cifar", "epochs": 70})
        self.page.get_by_role("button", name="Reset all").click()
        self.see_json(lambda body: body["jobs"][0]["spec"] == {"preset": "simclr-cifar"})

    def test_objects_are_turned_on_and_off(self):
        self.open_form()
        self.see_ready()
        self.control("/spec/online").uncheck()
        self.see_json(lambda body: body["jobs"][0]["spec"].get("online", 1) is None)
        self.control("/spec/online").check()
        self.see_json(lambda body: "online" not in body["jobs"][0]["spec"])
        self.unfold()
        self.control("/spec/local_views").check()
        self.see_json(lambda body: body["jobs"][0]["spec"]["local_views"] == {})
        self.control("/spec/local_views/count").fill("2")
        self.see_json(lambda body: body["jobs"][0]["spec"]["local_views"] == {"count": 2})
        self.see_ready()
        self.control("/spec/local_views").uncheck()
        self.expect(self.control("/spec/local_views/count")).to_have_count(0)
        self.control("/spec/local_views").check()
        self.expect(self.control("/spec/local_views/count")).to_have_value("2")
        self.choose("/spec/augmentation", "mirror")
        self.expect(self.control("/spec/augmentation/crop_scale")).to_have_count(0)
        self.see_json(lambda body: body["jobs"][0]["spec"]["augmentation"] == "mirror")

    def test_a_field_is_found_by_its_name_or_key(self):
        self.open_form()
        self.page.locator("#filter").fill("blur sigma")
        self.expect(self.control("/spec/augmentation/blur_sigma")).to_be_visible()
        self.see(".toolbar", "1 field matches.")
        self.expect(self.control("/spec/epochs")).to_have_count(0)
        self.page.locator("#filter").fill("no such thing")
        self.see(".toolbar", "0 fields match.")
        self.page.locator("#filter").fill("")
        self.expect(self.control("/spec/epochs")).to_be_visible()

    def test_the_json_and_the_fields_are_one(self):
        self.open_form()
        self.control("/spec/optimizer/lr").fill("1e-3")
        self.see_json(lambda body: body["jobs"][0]["spec"]["optimizer"] == {"lr": 0.001})
        job = training("by hand", seed=5)
        self.write_json(job)
        self.expect(self.control("/spec/seed")).to_have_value("5")
        self.expect(self.control("/name")).to_have_value("by hand")
        self.expect(self.control("/spec/projector/widths")).to_have_value("32, 32")
        self.expect(self.control("/then-evaluate")).not_to_be_checked()
        self.see_ready()
        self.control("/spec/seed").fill("6")
        self.see_json({**job, "spec": {**job["spec"], "seed": 6}})
        self.start()
        self.see("h1", "by hand")
        newest = self.daemon.get("/jobs?limit=1")["jobs"][0]
        self.assertEqual(newest["spec"]["seed"], 6)

    def test_text_that_is_not_valid_json_says_where_and_is_never_sent(self):
        self.open_form()
        for text, what in (('{\n  "kind": "train",\n  oops\n}', "Line 3, column 3"), ("[1]", "must be an object"),
                           ('{"kind": "evaluate"}', 'kind must be "train" in this form, got "evaluate"'),
                           ('{"jobs": []}', "jobs must be a list of jobs"), ('{"kind": "train", ', "Line 1, column 19")):
            with self.subTest(text=text):
                self.write_json(text)
                self.see("#json-error", what)
                self.expect(self.control("/spec/epochs")).to_be_disabled()
                self.page.locator("form.new button.main").click()
                self.expect(self.page.locator("#json")).to_be_focused()
        self.assertEqual(self.sent, [])
        # It survives a reload too.
        self.page.reload()
        self.expect(self.page.locator("#json")).to_have_value('{"kind": "train", ')
        self.page.get_by_role("button", name="Discard this text").click()
        self.expect(self.control("/spec/epochs")).to_be_enabled()
        self.see_json(lambda body: body["jobs"][0]["spec"] == {"preset": "small"})

    def test_an_unknown_key_is_named_in_the_list(self):
        self.expected_errors.append("422")
        self.open_form()
        self.write_json({"kind": "train", "spec": {"preset": "small", "epoch": 3}})
        self.see(".problem li", "/spec/epoch")
        self.see(".problem li", "epochs")

    def test_nothing_typed_is_lost(self):
        self.expected_errors += ["Failed to load resource", "ERR_"]
        self.open_form()
        self.control("/name").fill("keep me")
        self.control("/spec/epochs").fill("many")
        self.control("/labels").fill("team=a\nשלום=עולם")
        def check():
            self.expect(self.control("/name")).to_have_value("keep me")
            self.expect(self.control("/spec/epochs")).to_have_value("many")
            self.expect(self.control("/labels")).to_have_value("team=a\nשלום=עולם")
        self.page.reload()
        check()
        self.open("#/")
        self.open_form("?kind=evaluate")
        self.open_form()
        check()
        self.daemon.kill()
        self.control("/spec/seed").fill("4")
        self.see(".verdict", "The daemon does not answer.")
        check()
        self.daemon.start()
        self.see(".verdict", "1 error")
        check()
        self.expect(self.control("/spec/seed")).to_have_value("4")
        # For another purpose the form is filled in anew, and what was there can be taken back.
        self.open_form("?dataset=synthetic")
        self.expect(self.control("/spec/dataset/name")).to_have_value('"synthetic"')
        self.expect(self.control("/name")).to_have_value("")
        self.page.get_by_role("button", name="Go back to it").click()
        check()

    def test_starting_over_can_be_undone(self):
        self.open_form()
        self.control("/spec/epochs").fill("9")
        self.page.get_by_role("button", name="Start over").click()
        self.expect(self.control("/spec/epochs")).to_have_value("4")
        self.page.get_by_role("button", name="Undo").click()
        self.expect(self.control("/spec/epochs")).to_have_value("9")

    def test_the_curl_command_queues_the_same(self):
        self.open_form()
        self.control("/name").fill("it's")
        self.page.get_by_text("Equivalent curl command").click()
        command = self.see(".curl-view code", "curl")
        self.assertTrue(command.inner_text().startswith(f"curl {self.daemon.url}/jobs -H 'Content-Type: application/json' -d '"))
        import subprocess
        words = subprocess.run(["bash", "-c", f"printf '%s' {command.inner_text().split(' -d ', 1)[1]}"],
                               check=True, capture_output=True, text=True).stdout
        self.assertEqual(json.loads(words), self.json())

    def test_cost_is_said_before_it_is_started(self):
        self.open_form()
        self.see_ready()
        self.see(".verdict", "3,676 steps")
        self.see(".verdict", "of memory")
        self.see(".verdict", "of disk")

    def test_the_form_is_used_by_keyboard_alone(self):
        self.open_form()
        self.see_ready()
        self.page.locator("#filter").focus()
        self.page.keyboard.type("batch size")
        self.page.keyboard.press("Tab")
        self.page.keyboard.press("Tab")
        self.expect(self.control("/spec/batch_size")).to_be_focused()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type("32")
        self.page.keyboard.press("Tab")
        self.expect(self.field("/spec/batch_size").get_by_role("button", name="Reset to 64")).to_be_focused()
        self.page.keyboard.press("Enter")
        self.expect(self.control("/spec/batch_size")).to_have_value("64")
        self.expect(self.control("/spec/batch_size")).to_be_focused()

    def test_it_fits_every_window(self):
        self.expected_errors.append("422")
        for kind in ("train", "evaluate", "embed", "sweep", "import"):
            self.open_form(f"?kind={kind}")
            self.unfold()
            for width in (390, 1440, 2560):
                with self.subTest(kind=kind, width=width):
                    self.page.set_viewport_size({"width": width, "height": 900})
                    self.check_width(f"the form of {kind}")
                    self.check_page()


# What every control with a place shows, by place; off objects as null.
VALUES = """() => Object.fromEntries([...document.querySelectorAll("[data-pointer]")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.dataset.pointer, one.type === "checkbox" ? String(one.checked)
    : one.tagName === "SELECT" ? one.value.replace(/^"|"$/g, "") : one.value]))"""

# Members that the daemon resolves and that have no effect with the preset's optimiser, schedule or policy.
COMMON = ("/spec/divergence/max_rollbacks", "/spec/divergence/lr_factor", "/spec/projector/", "/spec/predictor/")
ADAM = ("/spec/optimizer/momentum", "/spec/optimizer/nesterov", "/spec/optimizer/trust", "/spec/optimizer/clip",
        "/spec/optimizer/exclude")
LARS = ("/spec/optimizer/betas", "/spec/optimizer/eps", "/spec/optimizer/nesterov")
IRRELEVANT = {"small": (*COMMON, *ADAM, "/spec/predictor"), "fashion-hour": (*COMMON, "/spec/predictor", "/spec/optimizer/"),
              "simclr-cifar": (*COMMON, *LARS, "/spec/predictor", "/spec/local_views"),
              "byol-cifar": (*COMMON, *LARS, "/spec/local_views"),
              "sigreg-cifar": (*COMMON, *ADAM, "/spec/predictor")}


def walk(value, place):
    """(place, value) of every leaf."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from walk(part, f"{place}/{key}")
    else:
        yield place, value


def written(value):
    """As a control shows a value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(written(part) for part in value)
    if isinstance(value, float):
        return json.dumps(int(value)) if value.is_integer() else shortest(value)
    return str(value)


def shortest(value):
    """A number as JavaScript writes it."""
    text = repr(value)
    if "e" in text:
        digits, power = text.split("e")
        if -7 < int(power):
            return f"{value:.20f}".rstrip("0")[:2 + abs(int(power)) + len(digits.replace('.', '')) - 1]
        return f"{digits}e{int(power)}"
    return text


def members(schema, place):
    for key, part in schema.get("properties", {}).items():
        yield f"{place}/{key}"
        for variant in part.get("anyOf", [part]):
            if "job" not in variant.get("properties", {}):
                yield from members(variant, f"{place}/{key}")
