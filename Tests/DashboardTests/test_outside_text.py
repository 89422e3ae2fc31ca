"""Names, labels, notes and messages of any kind stay in their place."""

from browser import DashboardTest
from daemon import training


def cut(text, count=200):
    """The text's first bytes, without half a character at the end."""
    return text.encode()[:count].decode(errors="ignore")


NAMES = {
    "long": "W" * 200, "hebrew": cut("שלום" * 60), "arabic": cut("مرحبا بالعالم " * 20), "emoji": cut("😀" * 60),
    "family": cut("👩‍👩‍👧‍👦" * 20), "marks": cut("a" + "\u0301\u0489\u0322" * 60), "chinese": cut("漢字" * 60),
    "script": "<script>document.title = 'taken over'</script>", "image": "<img src=x onerror=alert(1)>",
}
# As a data folder of an older version may have them.
TURNED = "gpj.\u202eexe\u2066\u200f\u0007\u200b end"
WIDTHS = (360, 768, 1280, 1920)
BIDI = r"() => /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/.test(document.documentElement.outerHTML)"


class OutsideTextTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A label's key has no =, which ends it in ?label=KEY=VALUE.
        keys = {name: cut(name, 16).replace("<", "").replace("=", "") for name in NAMES.values()}
        jobs = [{**training(name), "notes": name * 3, "labels": {keys[name]: cut(name, 60)}}
                for name in NAMES.values()]
        cls.ids = dict(zip(NAMES, cls.daemon.queue(*jobs)))
        cls.turned = cls.daemon.queue(training("to be renamed"))[0]
        cls.daemon.kill()
        cls.daemon.rename(cls.turned, TURNED)
        cls.daemon.start()

    def check_widths(self, view, what):
        self.open(view)
        self.see("main", what)
        for width in WIDTHS:
            with self.subTest(view=view, width=width):
                self.page.set_viewport_size({"width": width, "height": 900})
                self.check_width(view)
                self.check_page()

    def test_the_list_fits_every_window(self):
        self.check_widths("#/", NAMES["script"])
        self.assertNotEqual(self.page.title(), "taken over")
        self.assertEqual(self.page.locator("main script, main img").count(), 0)

    def test_every_job_fits_every_window(self):
        for kind, identifier in self.ids.items():
            self.check_widths(f"#/jobs/{identifier}", identifier)
            self.see(".labels")
            self.see(".notes")

    def test_the_form_fits_every_window(self):
        for kind in ("train", "evaluate"):
            self.check_widths(f"#/new?kind={kind}&job={self.ids['long']}", "Job")

    def test_long_messages_and_reasons_fit_every_window(self):
        text = "/a/very/long/path" * 30

        def change(route):
            answer = route.fetch()
            body = answer.json()
            if "transitions" in body:
                body["transitions"] = [{**one, "message": text, "reason": text} for one in body["transitions"]]
            else:
                body |= {"message": text, "state": "failed", "reason": "worker_error",
                         "host": {"cpu": text, "threads": 2, "isa": "avx2"}}
            route.fulfill(response=answer, json=body)
        identifier = self.ids["long"]
        self.page.route(f"**/jobs/{identifier}", change)
        self.page.route(f"**/jobs/{identifier}/transitions", change)
        self.check_widths(f"#/jobs/{identifier}", text)

    def test_names_have_their_own_direction(self):
        self.open(f"#/jobs/{self.ids['hebrew']}")
        heading = self.see("h1", "שלום")
        self.assertEqual(heading.get_attribute("dir"), "auto")
        self.assertEqual(heading.evaluate("(element) => getComputedStyle(element).direction"), "rtl")

    def test_controls_of_direction_are_shown_and_have_no_effect(self):
        for view in ("#/", f"#/jobs/{self.turned}", f"#/new?kind=evaluate&job={self.turned}"):
            with self.subTest(view=view):
                self.open(view)
                found = self.page.locator("main :text('⟨U+202E⟩exe⟨U+2066⟩⟨U+200F⟩⟨U+0007⟩⟨U+200B⟩ end')")
                if "new" in view:
                    found = self.page.locator("option", has_text="⟨U+202E⟩exe")
                    self.expect(found).to_have_count(1)
                else:
                    self.expect(found.first).to_be_visible()
                self.assertFalse(self.page.evaluate(BIDI))
                self.assertNotIn("\u202e", self.page.title())

    def test_the_list_cuts_a_long_name_and_has_it_whole_on_hover(self):
        self.open()
        name = self.page.locator(".jobs .cut[title]", has_text="W" * 50)
        self.expect(name).to_have_attribute("title", NAMES["long"])
        height = name.evaluate("(element) => element.getBoundingClientRect().height")
        self.assertLess(height, 80)
