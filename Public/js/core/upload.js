// Uploads of files, which go on while other pages are shown.
import { Problem } from "./api.js";

/** The uploads that run, by what they make: a page that is shown again finds its own. */
const running = new Map();

/** The upload of this kind that runs; undefined: none does. */
export const runningUpload = (kind) => running.get(kind);

/**
 * Sends `file` to `path` by PUT. `answer` is a promise of the daemon's JSON, which fails with a `Problem`;
 * `onProgress` may be set and is called with { sent, bytes, secondsLeft }.
 */
export class Upload {
  onProgress = null;
  #request = new XMLHttpRequest();
  #startedAt = performance.now();

  constructor(kind, name, path, file) {
    Object.assign(this, { kind, name, file, sent: 0 });
    this.answer = new Promise((resolve, reject) => this.#send(path, resolve, reject))
      .finally(() => running.delete(kind));
    running.set(kind, this);
  }

  get secondsLeft() {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return this.sent > 0 && seconds > 1 ? ((this.file.size - this.sent) / this.sent) * seconds : NaN;
  }

  cancel() {
    this.#request.abort();
  }

  #send(path, resolve, reject) {
    const request = this.#request;
    request.upload.addEventListener("progress", ({ loaded }) => {
      this.sent = loaded;
      this.onProgress?.();
    });
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(body);
      else reject(new Problem(request.status, body));
    });
    request.addEventListener("abort", () => reject(new Problem(0, { title: "The upload was cancelled." })));
    request.addEventListener("error", () => reject(new Problem(0, {
      title: "The upload broke off: the daemon does not answer, or has refused the file.",
    })));
    request.open("PUT", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(this.file);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// A window that is closed while an upload runs would cut it off.
addEventListener("beforeunload", (event) => {
  if (running.size > 0) event.preventDefault();
});
