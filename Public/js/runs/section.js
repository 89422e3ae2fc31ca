// A part of the table: a list of the daemon, read page by page, and kept up to date by the changes that the
// daemon reports, without asking again.
import { json } from "../core/api.js";
import { fields, rowOf } from "./row.js";
import { matches, order, pathOf } from "./view.js";

/** Rows of the first page, which is soon there, and of each further one. */
const firstRows = 60;
const moreRows = 200;

/**
 * The rows that a view leaves, in the order `sort` of the API. `keep`, if given, is a further condition that
 * the daemon cannot check.
 */
export class Section {
  constructor(key, title, view, { sort, keep = () => true } = {}) {
    Object.assign(this, { key, title, view, sort, keep });
    this.rows = [];
    this.total = 0;
    this.cursor = null;
    this.isLoading = false;
    this.compare = order(sort);
    this.turn = 0;
  }

  /** Whether the daemon has more rows than are here. */
  get hasMore() {
    return this.cursor !== null;
  }

  /** Reads the first page, and again as many rows as were here; throws the API's `Problem`. */
  async load() {
    const mine = ++this.turn;
    const limit = Math.min(500, Math.max(firstRows, this.rows.length));
    const answer = await this.read(limit);
    if (mine !== this.turn) return;
    const kept = answer.jobs.map(rowOf).filter(this.keep);
    // What lies after the first 500 stays: it is older, and changes reach it by the stream.
    const seen = new Set(kept.map((row) => row.id));
    const after = this.rows.length > 500 && answer.next_cursor ? this.rows.slice(500) : [];
    this.rows = [...kept, ...after.filter((row) => !seen.has(row.id))];
    this.total = answer.total;
    if (after.length === 0) this.cursor = answer.next_cursor;
  }

  /** Reads the next page. */
  async more() {
    if (!this.hasMore || this.isLoading) return;
    this.isLoading = true;
    const mine = this.turn;
    try {
      const answer = await this.read(moreRows, this.cursor);
      if (mine !== this.turn) return;
      const seen = new Set(this.rows.map((row) => row.id));
      this.rows.push(...answer.jobs.filter((job) => !seen.has(job.id)).map(rowOf).filter(this.keep));
      this.cursor = answer.next_cursor;
      this.total = answer.total;
    } finally {
      this.isLoading = false;
    }
  }

  read(limit, cursor = null) {
    return json(pathOf(this.view, { sort: this.sort, limit, cursor, fields }));
  }

  /** Whether the row belongs here. */
  takes(row) {
    return matches(this.view, row) && this.keep(row);
  }

  /** Takes a changed or new row in, or out where it no longer belongs here. Whether anything changed. */
  put(row) {
    const at = this.rows.findIndex((one) => one.id === row.id);
    if (!this.takes(row)) return at >= 0 && this.#take(at);
    if (at >= 0 && this.compare(this.rows[at], row) === 0) {
      this.rows[at] = row;
      return true;
    }
    if (at >= 0) this.#take(at);
    const place = this.rows.findIndex((one) => this.compare(row, one) < 0);
    // Beyond what has been read it will be read in its turn.
    if (place >= 0) this.rows.splice(place, 0, row);
    else if (!this.hasMore) this.rows.push(row);
    this.total += 1;
    return true;
  }

  /** Takes a deleted job's row out; whether it was here. */
  remove(id) {
    const at = this.rows.findIndex((row) => row.id === id);
    return at >= 0 && this.#take(at);
  }

  #take(at) {
    this.rows.splice(at, 1);
    this.total -= 1;
    return true;
  }
}
