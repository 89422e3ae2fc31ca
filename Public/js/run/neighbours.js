// The images of a dataset that are most similar to an image, by the encoder of a training.
import { Problem, request } from "../core/api.js";
import { h } from "../core/dom.js";
import { alert } from "../core/parts.js";
import { shown } from "../core/text.js";
import { imagePath } from "./requests.js";

const neighboursCount = 12;
/**
 * Seconds between two questions while the features of the dataset are being computed, which takes minutes at
 * first.
 */
const waitSeconds = 3;
const types = ["image/png", "image/jpeg", "image/webp"];

/**
 * Fills `place` with the neighbours of an image: `subject` is { dataset, split, index } of one of a dataset,
 * or
 * { file, dataset, split }, of one that is looked for in that dataset. A further call replaces what is shown.
 */
export async function showNeighbours(place, job, subject) {
  const turn = (place.turn ?? 0) + 1;
  place.turn = turn;
  const isCurrent = () => place.turn === turn && place.isConnected;
  const status = h("p", { class: "quiet", role: "status" }, "Looking for similar images…");
  place.replaceChildren(h("div", { class: "neighbours" }, status));
  place.scrollIntoView({ block: "nearest" });
  try {
    const file = subject.file ?? await imageOf(subject);
    const split = subject.searched ?? "train";
    for (;;) {
      try {
        const answer = await ask(job, subject.dataset, split, file);
        if (isCurrent()) place.replaceChildren(result(place, job, subject, split, file, answer.neighbours));
        return;
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 503 || !isCurrent()) throw error;
        status.textContent = `${shown(error.message)} The first search takes minutes; later ones are quick.`;
        await new Promise((resolve) => { setTimeout(resolve, waitSeconds * 1000); });
        if (!isCurrent()) return;
      }
    }
  } catch (error) {
    if (isCurrent()) place.replaceChildren(alert(error.message));
  }
}

async function imageOf({ dataset, split, index }) {
  const response = await fetch(imagePath(dataset, split, index));
  if (!response.ok) throw new Error(`Image ${index} of ${shown(dataset)} no longer exists.`);
  return response.blob();
}

async function ask(job, dataset, split, file) {
  const query = new URLSearchParams({ dataset, split, k: neighboursCount });
  return JSON.parse(await request(`/jobs/${job}/neighbours?${query}`,
    { method: "POST", headers: { "Content-Type": file.type || "image/png" }, body: file }));
}

function result(place, job, subject, split, file, neighbours) {
  const name = subject.index === undefined ? shown(file.name ?? "The image")
    : `Image ${subject.index} of ${shown(subject.dataset)}, ${subject.split}`;
  const picture = pictureOf(file, name);
  const next = (index) => () => showNeighbours(place, job, { ...subject, file: undefined, split, index });
  return h("div", { class: "neighbours", role: "group", "aria-label": "Neighbours" },
    h("figure", { class: "subject" }, picture, h("figcaption", { class: "quiet" }, name)),
    h("div", {},
      h("p", { class: "image-head" }, h("strong", {}, `Most similar in ${shown(subject.dataset)}, ${split}`),
        h("button", { type: "button", class: "plain", onclick: () => place.replaceChildren() }, "Close")),
      h("ul", { class: "images" }, neighbours.map((one) => h("li", {}, h("button", {
        type: "button", class: "image", title: `Image ${one.index}. Show its neighbours.`,
          onclick: next(one.index),
      }, h("img", { src: one.image, alt: shown(`Image ${one.index}${one.class ? `: ${one.class}` : ""}`),
        width: 64, height: 64 }),
      h("span", {}, one.class ? shown(one.class) : String(one.index)),
      h("span", { class: "quiet" }, one.similarity === null ? "" : one.similarity.toFixed(3))))))));
}

/** A picture of a file, on a canvas, because the page's policy allows no other address for it. */
function pictureOf(file, name) {
  const canvas = h("canvas", { width: 88, height: 88, role: "img", "aria-label": name });
  createImageBitmap(file).then((bitmap) => {
    const side = Math.min(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = side > 88;
    context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, 88,
      88);
  }, () => canvas.replaceWith(h("span", {}, name)));
  return canvas;
}

/** A place to drop an image, or to choose one: calls `onFile(file)`. */
export function dropZone(onFile) {
  const take = (file) => {
    message.replaceChildren();
    if (file && types.includes(file.type)) onFile(file);
    else if (file) message.replaceChildren(alert(`${shown(file.name)} is not a PNG, JPEG or WebP image.`));
  };
  const message = h("div");
  const input = h("input", { type: "file", accept: types.join(","), class: "unseen", id: "neighbour-file",
    onchange: () => { take(input.files[0]); input.value = ""; } });
  const zone = h("div", {
    class: "drop",
    ondragover: (event) => { event.preventDefault(); zone.classList.add("over"); },
    ondragleave: () => zone.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); zone.classList.remove("over");
      take(event.dataTransfer.files[0]); },
  }, input, h("label", { for: "neighbour-file" }, "Drop an image here, or choose one"), message);
  return zone;
}
