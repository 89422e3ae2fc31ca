"""Signing in, the end of a session, and what the form says about tokens."""

from browser import DashboardTest
from daemon import endless


class AccessTest(DashboardTest):
    token = "lab"

    def setUp(self):
        super().setUp()
        self.expected_errors += ["401", "429", "ERR_INCOMPLETE_CHUNKED_ENCODING"]

    def sign_in(self, secret):
        self.page.locator("#token").fill(secret)
        self.page.get_by_role("button", name="Sign in").click()

    def test_a_wrong_token_is_refused_and_a_right_one_is_accepted(self):
        self.open()
        self.see("h1", "Sign in")
        self.see("form", f"vicregd token create --name NAME --data {self.daemon.data}")
        self.expect(self.page.get_by_text("DIR must be")).to_have_count(0)
        self.check_page()
        for width in (360, 1280):
            self.page.set_viewport_size({"width": width, "height": 800})
            self.check_width("the form for the token")
        self.sign_in("wrong")
        self.see("#token-message [role=alert]")
        self.sign_in(self.daemon.secret)
        self.see(".empty:visible, .jobs:visible")
        self.see("#session", "lab (write)")

    def test_an_address_with_a_token_signs_in_and_forgets_it(self):
        self.page.goto(f"{self.daemon.url}/#token={self.daemon.secret}")
        self.see("#session", "lab (write)")
        self.assertNotIn("token", self.page.url)

    def test_a_revoked_token_ends_in_the_form_and_a_new_one_goes_on(self):
        job = self.daemon.queue(endless("goes on"))[0]
        for view, what in ((f"#/jobs/{job}", "goes on"), ("#/", "goes on"), ("#/new", "Start training")):
            with self.subTest(view=view):
                self.context.clear_cookies()
                name = f"short-lived-{len(view)}"
                secret = self.daemon.create_token(name)
                self.open(view)
                self.sign_in(secret)
                self.see("main", what)
                self.daemon.command("token", "revoke", "--name", name)
                self.see("#token-message", "Your session has ended")
                self.expect(self.page.locator("#session")).to_have_count(0)
                self.sign_in(self.daemon.secret)
                self.see("main", what)
                self.see("#session", "lab (write)")
                self.assertTrue(self.page.url.endswith(view), self.page.url)
        # Changes are shown again by themselves.
        self.open(f"#/jobs/{job}")
        self.see(".head .state", "r")
        self.daemon.change(job, "cancel")
        self.see(".head .state", "cancelled")

    def test_a_restarted_daemon_asks_for_the_token_again(self):
        self.expected_errors += ["Failed to load resource", "ERR_"]
        self.open()
        self.sign_in(self.daemon.secret)
        self.see(".empty:visible, .jobs:visible")
        self.daemon.kill()
        self.see("#connection", "Shown as of")
        self.daemon.start()
        self.see("#token-message", "the daemon was restarted")
        self.expect(self.page.locator("#connection")).to_have_text("")
        self.sign_in(self.daemon.secret)
        self.see(".empty:visible, .jobs:visible")
