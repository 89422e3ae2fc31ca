"""A page that is old says so, since when, and recovers by itself."""

import re
import signal

from browser import DashboardTest
from daemon import endless


class FreshnessTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = cls.daemon.queue(endless("goes on"))[0]

    def setUp(self):
        super().setUp()
        self.expected_errors += ["Failed to load resource", "ERR_"]

    def expect_stale(self):
        notice = self.see("#connection", "The daemon does not answer. Shown as of")
        self.assertRegex(notice.text_content(), re.compile(r"Shown as of .*\d\d:\d\d:\d\d"))
        self.assertIn("stale", self.page.locator("body").get_attribute("class"))

    def expect_fresh(self):
        self.expect(self.page.locator("#connection")).to_have_text("")
        self.expect(self.page.locator("body.stale")).to_have_count(0)

    def check_a_death(self, view, what):
        self.open(view)
        self.see("main", what)
        self.expect_fresh()
        self.daemon.kill()
        self.expect_stale()
        # What is old is grey, and as legible as before.
        look = "(element) => getComputedStyle(element).filter"
        if "new" in view:
            self.assertEqual(self.page.locator("main form").evaluate(look), "none", "a form does not get old")
        else:
            self.assertEqual(self.page.locator("main > :not(h1)").first.evaluate(look), "grayscale(1)")
        self.daemon.start()
        self.expect_fresh()

    def test_the_list_survives_the_daemon(self):
        self.check_a_death("#/", "goes on")
        self.daemon.queue(endless("came after the death"))
        self.see(".jobs", "came after the death")

    def test_a_job_survives_the_daemon(self):
        self.check_a_death(f"#/jobs/{self.job}", "goes on")
        other = self.daemon.queue(endless("another"))[0]
        self.page.evaluate("(id) => { location.hash = `#/jobs/${id}`; }", other)
        self.see("h1", "another")
        self.daemon.change(other, "cancel")
        self.see(".head .state", "cancelled")

    def test_the_form_notices_it_too(self):
        self.check_a_death("#/new", "Start training")

    def test_a_daemon_that_hangs_is_noticed(self):
        self.open()
        self.see(".jobs", "goes on")
        self.daemon.signal(signal.SIGSTOP)
        try:
            self.expect_stale()
        finally:
            self.daemon.signal(signal.SIGCONT)
        self.expect_fresh()

    def test_answers_that_are_errors_are_noticed(self):
        self.open()
        self.see(".jobs", "goes on")
        self.page.route("**/jobs?*", lambda route: route.fulfill(status=500, body="{}"))
        self.see("#connection", "The daemon answers with an error (500). Shown as of")
        self.page.unroute("**/jobs?*")
        self.expect_fresh()

    def test_an_answer_that_is_not_json_is_noticed(self):
        self.open()
        self.see(".jobs", "goes on")
        self.page.route("**/jobs?*", lambda route: route.fulfill(status=200, body="<html>"))
        self.see("#connection", "The answer is not valid JSON. Shown as of")
        self.page.unroute("**/jobs?*")
        self.expect_fresh()

    def test_a_broken_stream_costs_nothing_but_a_moment(self):
        self.page.route("**/events", lambda route: route.abort())
        self.open()
        self.see(".jobs", "goes on")
        other = self.daemon.queue(endless("seen without the stream"))[0]
        self.see(".jobs", "seen without the stream")
        self.daemon.change(other, "cancel")
        self.see(".jobs .state.cancelled")
        self.expect_fresh()
