// The augmented pairs: what the first step of a training sees of its first images.
import { h, replaceIfNew } from "../core/dom.js";
import { artifactPath } from "./requests.js";
import { artifactOf, section } from "./section.js";

const name = "views.png";

export class PairsSection {
  constructor({ id }) {
    this.id = id;
    this.body = h("div");
    this.element = section("Augmented pairs", this.body);
  }

  update(job) {
    const artifact = artifactOf(job, name);
    this.element.hidden = !artifact;
    if (!artifact) return;
    replaceIfNew(this.body, artifact.sha256, () => {
      const views = (job.spec?.views ?? 2) + (job.spec?.local_views?.count ?? 0);
      const picture = h("img", {
        src: artifactPath(this.id, name), class: "views", loading: "lazy",
        alt: `Images of the first batch, each next to its ${views} augmented views.`,
        onload: () => split(picture, this.body),
      });
      return [h("p", { class: "quiet" },
        `Each image of the first batch, then its ${views} views in step 1, before normalisation.`), picture];
    });
  }
}

/**
 * Cuts a tall sheet into columns that use the width: the rows of the sheet are images, its columns their
 * views.
 */
function split(picture, body) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const strips = Math.min(8, Math.floor(height / width));
  if (strips < 2 || body.querySelector("canvas")) return;
  const row = rowHeight(picture);
  const rows = Math.ceil(height / row);
  const perStrip = Math.ceil(rows / strips);
  const list = h("div", { class: "views-strips", role: "img", "aria-label": picture.alt });
  for (let first = 0; first < rows; first += perStrip) {
    const top = first * row;
    const size = Math.min(perStrip * row, height - top);
    const canvas = h("canvas", { width, height: size });
    canvas.getContext("2d").drawImage(picture, 0, top, width, size, 0, 0, width, size);
    list.append(canvas);
  }
  picture.replaceWith(list);
}

/**
 * Pixels from one image of the sheet to the next: their side and a gap, found where a whole line is white.
 */
function rowHeight(picture) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const canvas = h("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const isGap = (y) => {
    for (let at = y * width * 4; at < (y + 1) * width * 4;
      at += 1) if (data[at] !== data[y * width * 4 + (at % 4)]) return false;
    return data[y * width * 4] === 255;
  };
  let y = 1;
  while (y < height && !isGap(y)) y += 1;
  while (y < height && isGap(y)) y += 1;
  return y;
}
