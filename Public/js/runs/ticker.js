// What happens by the clock while the page is visible.
import { isLive } from "../core/events.js";

/** Seconds between two readings: while the stream is open, and while it is broken. */
const [quietSeconds, brokenSeconds] = [10, 2];

/** Calls `second` each second, and `refresh` now and then, not while the last one still goes on. */
export class Ticker {
  constructor({ second, refresh }) {
    let last = performance.now();
    let isBusy = false;
    this.timer = setInterval(async () => {
      if (document.hidden) return;
      second();
      const pause = isLive() ? quietSeconds : brokenSeconds;
      if (isBusy || performance.now() - last < pause * 1000) return;
      isBusy = true;
      try {
        await refresh();
      } finally {
        isBusy = false;
        last = performance.now();
      }
    }, 1000);
  }

  stop() { clearInterval(this.timer); }
}
