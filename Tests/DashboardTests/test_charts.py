"""Charts: one window, cursor and smoothing for all; finer points on zoom; values, CSV and PNG; keyboard; live lines."""

import csv
import io
import json
import re
import urllib.request
from urllib.parse import parse_qs, urlsplit

from browser import DashboardTest
from charts import CHART, POINTS, WINDOW
from daemon import endless, training

ANY_NUMBER = re.compile("[0-9]")
RUN = {"max_steps": 40, "dataset": {"name": "synthetic", "limit": 64}, "checkpoint": {"every_epochs": 4}}


class ChartsTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.job,) = cls.daemon.queue(training("charted", **RUN))
        cls.daemon.wait_for(cls.job, "succeeded")

    def open_curves(self, query=""):
        self.open(f"#/jobs/{self.job}{query}")
        self.expect(self.chart("Loss").locator(".value")).to_have_text(ANY_NUMBER)
        self.chart("Loss").locator(".canvas").scroll_into_view_if_needed()

    def chart(self, title):
        return self.page.locator(".chart", has=self.page.locator(".name", has_text=f"{title}")).first

    def window(self, title="Loss"):
        return self.page.evaluate(WINDOW, title)

    def test_the_points_are_those_of_the_api(self):
        self.open_curves()
        keys = {"Loss": "loss", "Invariance": "inv", "Variance": "var", "Covariance": "cov", "Spread": "std_min",
                "Effective rank": "rankme", "Correlation": "corr", "Gradient norm": "grad_norm", "Learning rate": "lr",
                "Speed": "images_per_second"}
        points = self.page.evaluate("() => document.querySelector('.chart-area').chart.lines[0].points.length")
        series = self.daemon.get(f"/jobs/{self.job}/metrics?points=400&keys={','.join(keys.values())}")["series"]
        self.assertEqual(points, len(series["loss"]))
        for title, key in keys.items():
            self.assertEqual(self.page.evaluate(POINTS, [title, key]), series[key], title)

    def test_parts_are_weighted_as_they_enter_the_loss(self):
        self.open_curves()
        self.page.get_by_label("Weighted parts").check()
        self.expect(self.page.locator(".chart .name").nth(1)).to_have_text("Invariance × 25")
        parts = [self.page.evaluate(POINTS, [title, key]) for title, key in
                 (("Invariance", "inv"), ("Variance", "var"), ("Covariance", "cov"))]
        for row, point in enumerate(self.page.evaluate(POINTS, ["Loss", "loss"])):
            self.assertAlmostEqual(sum(part[row][1] for part in parts), point[1], delta=abs(point[1]) * 1e-4)
        self.assertIn("weighted=1", self.page.url)

    def test_all_charts_zoom_together_and_show_all_again(self):
        self.open_curves()
        whole = self.window()
        box = self.chart("Loss").locator(".canvas").bounding_box()
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] * 0.4, y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=4)
        self.page.mouse.up()
        zoomed = self.window()
        self.assertGreater(zoomed[0], whole[0])
        self.assertLess(zoomed[1], whole[1])
        self.assertEqual(self.window("Effective rank"), zoomed)
        self.page.get_by_role("button", name="Show all").first.click()
        self.assertEqual(self.window(), whole)

    def test_a_chart_is_used_by_the_keyboard(self):
        self.open_curves()
        canvas = self.chart("Loss").locator(".canvas")
        canvas.focus()
        self.page.keyboard.press("Home")
        points = self.page.evaluate(POINTS, ["Loss", "loss"])
        self.expect(self.chart("Loss").locator(".note")).to_contain_text(f"At step {points[0][0]}")
        self.page.keyboard.press("ArrowRight")
        self.expect(self.chart("Loss").locator(".note")).to_contain_text(f"At step {points[1][0]}")
        self.expect(self.chart("Variance").locator(".note")).to_contain_text(f"At step {points[1][0]}")
        self.expect(self.page.locator("#announcements")).to_contain_text("Loss: ")
        whole = self.window()
        self.page.keyboard.press("+")
        self.assertLess(self.window()[1] - self.window()[0], whole[1] - whole[0])
        self.page.keyboard.press("0")
        self.assertEqual(self.window(), whole)

    def test_the_smoothed_mean_and_the_smoothing_have_values(self):
        self.open_curves("?smooth=100")
        self.expect(self.page.locator(".smoothing").first).to_contain_text("steps")
        self.expect(self.chart("Loss").locator(".value")).to_contain_text("(smoothed ")
        smoothed = self.page.evaluate("""async () => {
          const { Columns } = await import("/js/charts/line.js");
          const columns = (points) => new Columns(points.map(([x, y]) => [x, y, y - 1, y + 1]), "step", {});
          const fine = columns([[0, 1], [1, 2], [2, 3]]).smoothed(2);
          const gap = columns([[0, 4], [1, null], [2, 4]]);
          return [[...fine], [...gap.smoothed(2)].map(String), [...gap.low].map(String)];
        }""")
        kept = 2.718281828459045 ** -0.5
        expected = [1, (kept + 2) / (kept + 1), (kept ** 2 + 2 * kept + 3) / (kept ** 2 + kept + 1)]
        for value, other in zip(smoothed[0], expected):
            self.assertAlmostEqual(value, other)
        self.assertEqual(smoothed[1], ["4", "NaN", "4"])

    def test_values_are_in_a_table_and_in_csv(self):
        self.open_curves()
        points = self.daemon.get(f"/jobs/{self.job}/metrics?points=400&keys=loss")["series"]["loss"]
        self.chart("Loss").locator("summary").click()
        self.page.get_by_role("button", name="Table of values").click()
        self.expect(self.page.locator("dialog tbody tr")).to_have_count(len(points))
        with self.page.expect_download() as download:
            self.page.locator("dialog").get_by_role("button", name="Download CSV").click()
        with open(download.value.path(), newline="") as file:
            rows = list(csv.reader(io.StringIO(file.read())))
        self.assertEqual(rows[0], ["step", "Loss", "Loss min", "Loss max"])
        self.assertEqual([[float(field) for field in row] for row in rows[1:]], [[float(value) for value in point] for point in points])
        self.page.keyboard.press("Escape")
        self.expect(self.page.locator("dialog")).to_have_count(0)

    def test_a_chart_is_saved_as_a_picture_and_fills_the_screen(self):
        self.open_curves()
        self.chart("Loss").locator("summary").click()
        with self.page.expect_download() as download:
            self.chart("Loss").get_by_role("button", name="Download PNG").click()
        with open(download.value.path(), "rb") as file:
            self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")
        self.chart("Loss").locator("summary").click()
        self.chart("Loss").get_by_role("button", name="Full screen").click()
        self.wait_until(lambda: self.page.evaluate("() => document.fullscreenElement?.className.includes('chart')"), "full screen")
        self.page.evaluate("() => document.exitFullscreen()")

    def test_checkpoints_are_marked(self):
        self.open_curves()
        steps = [one["step"] for one in self.daemon.get(f"/jobs/{self.job}/checkpoints")["checkpoints"]]
        self.wait_until(lambda: self.page.evaluate(f'() => ({CHART})("Loss").marks.length'), "marks")
        self.assertEqual(self.page.evaluate(f'() => ({CHART})("Loss").marks.map((mark) => mark.step)'), steps)

    def test_steps_that_are_not_finite_are_marked(self):
        def answer(route):
            keys = parse_qs(urlsplit(route.request.url).query)["keys"][0].split(",")
            route.fulfill(json={"job": self.job, "width": 1, "not_finite": {"loss": [[2, 1]]},
                                "series": {key: [[1, 1, 1, 1], [2, None, None, None], [3, 2, 2, 2]] for key in keys}})
        self.page.route("**/metrics?*", answer)
        self.open_curves()
        red = self.page.evaluate(f"""() => {{
          const {{ graph }} = ({CHART})("Loss");
          const scale = graph.hidden_.width / graph.hidden_.clientWidth;
          const [x, y] = [graph.toDomXCoord(2) * scale, (graph.getArea().y + 6) * scale];
          const {{ data }} = graph.hidden_.getContext("2d").getImageData(x - 2, y - 2, 5, 5);
          return Array.from(data).some((value, index) => index % 4 === 3 && value > 100);
        }}""")
        self.expected_errors.append("willReadFrequently")
        self.assertTrue(red)

    def test_zooming_asks_the_daemon_for_finer_points(self):
        # As of a daemon that gives parts of curves, whatever this one can do.
        asked = []

        def describe(route):
            answer = route.fetch()
            body = answer.json()
            parameters = body["paths"]["/jobs/{id}/metrics"]["get"]["parameters"]
            for name in ("from", "to", "x"):
                if not any(one["name"] == name for one in parameters):
                    parameters.append({"name": name, "in": "query"})
            route.fulfill(response=answer, json=body)

        def answer(route):
            query = {key: value[0] for key, value in parse_qs(urlsplit(route.request.url).query).items()}
            asked.append(query)
            first, last, width = int(query.get("from", 0)), int(query.get("to", 100_000)), 4 if "from" in query else 200
            first -= first % width
            points = [[step, step, step - 1, step + 1] for step in range(first, last + 1, width)]
            route.fulfill(json={"job": self.job, "width": width, "not_finite": {},
                                "series": {key: points for key in query["keys"].split(",")},
                                "time_ms": [[step, 1_000_000 + step * 100] for step in range(first, last + 1, width)]})
        self.page.route("**/openapi.json", describe)
        self.page.route("**/metrics?*", answer)
        self.page.route(f"**/jobs/{self.job}", lambda route: self.with_steps(route, 100_000))
        self.open_curves()
        self.page.evaluate(f'() => ({CHART})("Loss").group.zoom([40_000, 42_000])')
        self.wait_until(lambda: len(asked) > 1, "a finer request")
        self.assertLessEqual(int(asked[-1]["from"]), 40_000)
        self.assertGreaterEqual(int(asked[-1]["to"]), 42_000)
        self.wait_until(lambda: len(self.page.evaluate(POINTS, ["Loss", "loss"])) > 450, "finer points")
        steps = [point[0] for point in self.page.evaluate(POINTS, ["Loss", "loss"])]
        self.assertEqual(steps[1] - steps[0], 4)
        # The time axis: seconds since the first line.
        self.page.get_by_label("Axis").first.select_option("time")
        self.assertEqual(self.window(), [0, 10_000])
        self.assertIn("x=time", self.page.url)

    @staticmethod
    def with_steps(route, steps):
        answer = route.fetch()
        body = answer.json()
        body["latest"]["step"] = body["progress"]["steps"] = body["progress"]["step"] = steps
        route.fulfill(response=answer, json=body)


class LiveChartsTest(DashboardTest):
    def test_lines_arrive_without_asking_for_the_curves_again(self):
        (job,) = self.daemon.queue(endless("live"))
        asked = []
        self.page.on("request", lambda request: asked.append(request.url) if "/metrics?" in request.url else None)
        self.open(f"#/jobs/{job}")
        self.see(".chart .value", ".")
        last = f'() => ({CHART})("Loss").lines[0].points.at(-1)[0]'
        self.wait_until(lambda: self.page.evaluate(f'() => ({CHART})("Loss")?.lines.length'), "a line")
        before = self.page.evaluate(last)
        self.wait_until(lambda: self.page.evaluate(last) > before + 20, "twenty more lines")
        self.assertLessEqual(len(asked), 3, asked)
        points = {point[0]: point[1] for point in self.page.evaluate(POINTS, ["Loss", "loss"])[-10:]}
        with urllib.request.urlopen(f"{self.daemon.url}/jobs/{job}/metrics?from_step={min(points)}") as answer:
            lines = [json.loads(line) for line in answer.read().splitlines()]
        for line in lines:
            if line["event"] == "metric" and line["step"] in points:
                self.assertEqual(points[line["step"]], line["loss"])
        self.daemon.change(job, "cancel")
