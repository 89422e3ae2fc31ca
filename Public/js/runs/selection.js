// Which runs are selected; they stay so while the view changes.

/** `onUpdate` is called when it has changed. */
export class Selection {
  constructor(onUpdate) {
    this.onUpdate = onUpdate;
    this.chosen = new Map();
    /** From here a range is selected. */
    this.anchor = null;
  }

  get rows() {
    return [...this.chosen.values()];
  }
  has(id) {
    return this.chosen.has(id);
  }

  /**
   * Selects a row, or no longer; with `order`, the rows as they are shown, all from the last one that was.
   */
  toggle(row, order = null) {
    const ids = order?.map((one) => one.id) ?? [];
    const [from, to] = [ids.indexOf(this.anchor), ids.indexOf(row.id)];
    if (from >= 0 && to >= 0) {
      for (const one of order.slice(Math.min(from, to), Math.max(from, to) + 1)) this.chosen.set(one.id, one);
    } else if (!this.chosen.delete(row.id)) this.chosen.set(row.id, row);
    this.anchor = row.id;
    this.onUpdate();
  }

  /** Selects a row as well. */
  add(row) {
    this.chosen.set(row.id, row);
    this.anchor = row.id;
    this.onUpdate();
  }

  setAll(rows, isOn) {
    if (isOn) { for (const row of rows) this.chosen.set(row.id, row); }
    else this.chosen.clear();
    this.onUpdate();
  }

  clear() {
    this.chosen.clear();
    this.onUpdate();
  }

  /** Takes the rows as they are now, of those that `find` has. */
  renew(find) {
    if (this.chosen.size === 0) return;
    for (const id of this.chosen.keys()) {
      const row = find(id);
      if (row) this.chosen.set(id, row);
    }
    this.onUpdate();
  }
}
