"""Every page with every way to read it: axe-core in both schemes, the keyboard, forced colours, less motion, paper."""

from browser import DashboardTest
from daemon import endless, training

# Every control that can be focused, with what shows that it is; a radio button or a row may be one of a group.
UNFOCUSED = """() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0);
  return all.filter((one) => {
    one.focus({ focusVisible: true, preventScroll: true });
    const style = getComputedStyle(one);
    const isShown = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== "none";
    return document.activeElement === one && !isShown;
  }).map((one) => one.outerHTML.slice(0, 200));
}"""

MOVING = """() => document.getAnimations().filter((one) => one.playState === "running").map((one) => one.animationName ?? "transition")"""

# Controls that do something by a click and cannot be reached with the keyboard.
UNREACHABLE = """() => [...document.querySelectorAll("[role=button], [role=link], [role=tab], [role=menuitem], [role=checkbox]")]
  .filter((one) => one.checkVisibility() && one.tabIndex < 0 && !one.closest("[role=menu], [role=tablist], [role=grid], [role=toolbar]"))
  .map((one) => one.outerHTML.slice(0, 200))"""


class AccessibilityTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        train = training("a training", online={"probe": True, "knn": True, "every_epochs": 1, "holdout": 0.2})
        train["spec"]["dataset"]["limit"] = 600
        ended = cls.daemon.queue(train)[0]
        evaluation = cls.daemon.queue({"kind": "evaluate", "name": "an evaluation", "spec": {
            "checkpoint": {"job": ended}, "protocol": "knn", "dataset": {"name": "synthetic", "limit": 200}}})[0]
        sweep = cls.daemon.ask("POST", "/sweeps", {
            "name": "a sweep", "base": training(), "space": {"/optimizer/lr": {"choice": [0.001, 0.01]}},
            "search": {"name": "grid"}})[1]
        cls.daemon.wait_for(evaluation, "succeeded")
        running = cls.daemon.queue(endless("a running one"))[0]
        cls.addClassCleanup(cls.daemon.change, running, "cancel")
        cls.views = {
            "runs": ("#/", "a training"), "a training": (f"#/jobs/{ended}", "a training"),
            "an evaluation": (f"#/jobs/{evaluation}", "an evaluation"), "a running one": (f"#/jobs/{running}", "a running one"),
            "comparison": (f"#/compare?jobs={ended},{running}", "a running one"), "sweeps": ("#/sweeps", "a sweep"),
            "a sweep": (f"#/sweeps/{sweep['id']}", "a sweep"), "datasets": ("#/datasets", "synthetic"),
            "a dataset": ("#/datasets/synthetic", "synthetic"), "models": ("#/models", ""), "system": ("#/system", ""),
            "a form": ("#/new", "Ready to start."), "a form of a sweep": ("#/new?kind=sweep", "Choose at least"),
        }

    def on_each_view(self, check):
        for name, (view, text) in self.views.items():
            with self.subTest(view=name):
                self.open(view)
                self.see("main", text)
                check()

    def test_axe_finds_nothing_in_the_light_scheme(self):
        self.on_each_view(self.check_access)

    def test_axe_finds_nothing_in_the_dark_scheme_on_a_phone(self):
        self.page.emulate_media(color_scheme="dark")
        self.page.set_viewport_size({"width": 390, "height": 844})
        self.on_each_view(self.check_access)

    def test_every_control_shows_that_it_is_focused(self):
        def check():
            self.assertEqual(self.page.evaluate(UNFOCUSED), [])
            self.assertEqual(self.page.evaluate(UNREACHABLE), [])
        self.on_each_view(check)

    def test_nothing_moves_for_a_reader_who_wants_that(self):
        self.page.emulate_media(reduced_motion="reduce")
        self.on_each_view(lambda: self.assertEqual(self.page.evaluate(MOVING), []))

    def test_forced_colours_and_paper_leave_pages_legible(self):
        def check():
            self.page.emulate_media(forced_colors="active", media="screen", color_scheme="light")
            self.check_access()
            self.page.emulate_media(forced_colors="none", media="print", color_scheme="dark")
            self.check_access()
        self.on_each_view(check)

    def test_the_first_tab_skips_to_the_content(self):
        self.open("#/")
        self.see("main", "a training")
        self.page.keyboard.press("Tab")
        self.expect(self.page.locator(".skip")).to_be_focused()
        self.page.keyboard.press("Enter")
        self.expect(self.page.locator("#main")).to_be_focused()
