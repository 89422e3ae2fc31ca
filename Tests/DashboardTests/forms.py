"""What the tests of the page of forms share."""

import json

from browser import DashboardTest


def is_submission(request):
    """Whether a request begins something, unlike a check of the form."""
    return request.method == "POST" and "dry_run" not in request.url


class FormTest(DashboardTest):
    """Opens forms, finds their fields, and notes what is sent."""

    def setUp(self):
        super().setUp()
        self.sent = []
        self.page.on("request", lambda request: self.sent.append(request) if is_submission(request) else None)

    def open_form(self, query=""):
        self.open(f"#/new{query}")
        self.see("form.new")

    def control(self, place):
        """The shown control of a place in what is sent."""
        return self.page.locator(f'[data-pointer="{place}"]:visible')

    def field(self, place):
        """The shown field of a place."""
        return self.page.locator(".field:visible", has=self.page.locator(f'[data-pointer="{place}"]')).last

    def unfold(self):
        """Opens all folds of the form."""
        self.page.evaluate("() => document.querySelectorAll('.more').forEach((fold) => { fold.open = true; })")

    def choose(self, place, label):
        self.control(place).select_option(label=label)

    def json(self):
        """What the JSON view shows."""
        return json.loads(self.page.locator("#json").input_value())

    def see_json(self, expected):
        """Waits until the JSON view shows a value, or one for which a function is true."""
        is_right = expected if callable(expected) else lambda value: value == expected
        self.wait_until(lambda: is_right(self.json()), f"JSON {expected}")

    def write_json(self, value):
        self.page.locator("#json").fill(value if isinstance(value, str) else json.dumps(value))

    def start(self):
        """Sends the form; gives what was sent, which is what the JSON view showed."""
        shown = self.json()
        count = len(self.sent)
        self.page.locator("form.new button.main").click()
        self.wait_until(lambda: len(self.sent) > count, "a submission")
        sent = json.loads(self.sent[-1].post_data)
        self.assertEqual(sent, shown)
        return sent

    def see_ready(self):
        self.see(".verdict.is-good:not(.waiting)", "Ready to start.")
