"""The embedding of a run: points, classes, clusters, lasso, images and neighbours."""

import random

from browser import DashboardTest
from daemon import training

COUNT = 10_000
RUN = {"max_steps": 4, "dataset": {"name": "synthetic", "limit": 64},
       "online": {"probe": True, "knn": True, "every_epochs": 1, "holdout": 0.25}}


class EmbeddingViewTest(DashboardTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.job,) = cls.daemon.queue(training("embedded", **RUN))
        cls.daemon.wait_for(cls.job, "succeeded")

    def open_embedding(self, job=None):
        self.open(f"#/jobs/{job or self.job}")
        self.page.locator('section[aria-label="Embedding"]').scroll_into_view_if_needed()
        self.see(".scatter")
        self.expect(self.page.locator(".legend button").first).to_be_visible()
        self.page.locator(".scatter").scroll_into_view_if_needed()

    def place(self, index):
        """Where a point of the projection is on the screen."""
        points = self.daemon.get(f"/jobs/{self.job}/artifacts/projection.json")["points"]
        left, right = min(x for x, _ in points), max(x for x, _ in points)
        bottom, top = min(y for _, y in points), max(y for _, y in points)
        box = self.page.locator(".scatter").bounding_box()
        x = 18 + (points[index][0] - left) / (right - left) * (box["width"] - 36)
        y = box["height"] - 18 - (points[index][1] - bottom) / (top - bottom) * (box["height"] - 36)
        return box["x"] + x, box["y"] + y

    def test_classes_have_their_images(self):
        projection = self.daemon.get(f"/jobs/{self.job}/artifacts/projection.json")
        self.open_embedding()
        counts = [projection["labels"].count(label) for label in range(max(projection["labels"]) + 1)]
        for index, button in enumerate(self.page.locator(".legend button").all()):
            self.assertTrue(button.inner_text().split()[-1] == str(counts[index]), button.inner_text())
        most = counts.index(max(counts))
        self.page.locator(".legend button").nth(most).click()
        self.expect(self.page.locator(".image-list .image")).to_have_count(counts[most])
        self.expect(self.page.locator(".image-list img").first).to_have_js_property("naturalWidth", 32)
        indices = {index for index, label in zip(projection["indices"], projection["labels"]) if label == most}
        shown = {int(one.get_attribute("title").split()[1].rstrip(".:")) for one in self.page.locator(".image-list .image").all()}
        self.assertEqual(shown, indices)

    def test_the_image_of_a_point_is_shown_at_the_pointer(self):
        projection = self.daemon.get(f"/jobs/{self.job}/artifacts/projection.json")
        self.open_embedding()
        farthest = max(range(len(projection["points"])), key=lambda index: projection["points"][index][0])
        self.page.mouse.move(*self.place(farthest))
        self.see(".scatter-tip", f"Image {projection['indices'][farthest]}")
        self.expect(self.page.locator(".scatter-tip img")).to_have_js_property("naturalWidth", 32)

    def test_a_lasso_catches_what_is_inside(self):
        projection = self.daemon.get(f"/jobs/{self.job}/artifacts/projection.json")
        self.open_embedding()
        box = self.page.locator(".scatter").bounding_box()
        self.page.get_by_role("button", name="Lasso").click()
        corners = [(2, 2), (box["width"] - 2, 2), (box["width"] - 2, box["height"] - 2), (2, box["height"] - 2)]
        self.page.mouse.move(box["x"] + 2, box["y"] + 2)
        self.page.mouse.down()
        for x, y in corners[1:]:
            self.page.mouse.move(box["x"] + x, box["y"] + y)
        self.page.mouse.up()
        self.see(".image-list strong", f"Selected with the lasso: {len(projection['points'])}")
        inside = self.page.evaluate("""async () => {
          const { isInside } = await import("/js/run/embedding/scatter.js");
          const path = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]];
          return [[1, 1], [2, 3], [3.5, 2], [5, 1]].map((place) => isInside(place, path));
        }""")
        self.assertEqual(inside, [True, False, True, False])

    def test_points_are_coloured_by_clusters(self):
        self.open_embedding()
        self.page.get_by_label("Colour by").select_option("cluster")
        self.page.get_by_label("Number of clusters").fill("3")
        self.expect(self.page.locator(".legend button")).to_have_count(3)
        sizes = [int(button.locator(".quiet").inner_text().split()[0].rstrip(",")) for button in self.page.locator(".legend button").all()]
        points = self.daemon.get(f"/jobs/{self.job}/artifacts/projection.json")["points"]
        self.assertEqual(sum(sizes), len(points))
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        found = self.page.evaluate("""async () => {
          const { clusters } = await import("/js/run/embedding/kmeans.js");
          const around = (x, y, count) => Array.from({ length: count }, (_, index) => [x + index % 3, y + index % 2]);
          return clusters([...around(0, 0, 5), ...around(50, 0, 9), ...around(0, 50, 7)], 3);
        }""")
        self.assertEqual(found, [2] * 5 + [0] * 9 + [1] * 7)

    def test_neighbours_are_those_of_the_api(self):
        projection = self.daemon.get(f"/jobs/{self.job}/artifacts/projection.json")
        self.expected_errors.append("503")
        answers = []
        self.page.on("response", lambda response: answers.append(response) if "/neighbours?" in response.url else None)
        self.open_embedding()
        farthest = max(range(len(projection["points"])), key=lambda index: projection["points"][index][0])
        self.page.mouse.click(*self.place(farthest))
        self.see('.neighbours strong', "Most similar in synthetic, train")
        neighbours = answers[-1].json()["neighbours"]
        images = self.page.locator(".neighbours .images .image")
        self.expect(images).to_have_count(len(neighbours))
        for one, image in zip(neighbours, images.all()):
            self.assertIn(f"{one['similarity']:.3f}", image.inner_text())
            self.assertEqual(image.locator("img").get_attribute("src"), one["image"])
        self.assertEqual(neighbours[0]["index"], projection["indices"][farthest], "an image is nearest to itself")

    def test_a_dropped_image_finds_its_neighbours(self):
        self.expected_errors.append("503")
        self.open_embedding()
        picture = self.page.evaluate("""async () => {
          const answer = await fetch("/datasets/synthetic/images/3.png?split=train");
          return [...new Uint8Array(await answer.arrayBuffer())];
        }""")
        self.page.locator("#neighbour-file").set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": bytes(picture)})
        self.see(".neighbours figcaption", "mine.png")
        self.expect(self.page.locator(".neighbours .images .image").first.locator("img")).to_have_attribute(
            "src", "/datasets/synthetic/images/3.png?split=train")
        self.page.locator("#neighbour-file").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no"})
        self.see(".drop [role=alert]", "notes.txt is not a PNG, JPEG or WebP image.")

    def test_ten_thousand_points_without_labels_fit_every_window(self):
        random.seed(0)
        points = [[random.gauss(0, 1), random.gauss(0, 1)] for _ in range(COUNT)]
        self.page.route("**/projection.json", lambda route: route.fulfill(json={
            "classes": [], "epoch": 1, "step": 4, "explained_variance": [0.5, 0.25], "indices": list(range(COUNT)),
            "labels": None, "points": points}))
        self.open_embedding()
        self.see('section[aria-label="Embedding"]', "10,000 held-back images at step 4")
        self.see('section[aria-label="Embedding"]', "50.0% and 25.0% of the variance")
        self.expect(self.page.locator(".legend button")).to_have_count(8)
        for width in (390, 1440, 2560):
            with self.subTest(width=width):
                self.page.set_viewport_size({"width": width, "height": 900})
                self.check_width("the embedding")
        canvas = self.page.locator(".scatter")
        canvas.focus()
        for key in ("+", "ArrowLeft", "n", "n", "p", "0", "-"):
            self.page.keyboard.press(key)
        self.see(".scatter-tip", "Image 0")
