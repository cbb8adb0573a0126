// A list of the API that is read as far as somebody looks: 10,000 tenants are 50 pages, most of which nobody sees.
import { useEffect, useMemo, useRef, useState } from "../vendor/vendor.js";
import { fetchJson } from "./api.js";

const SIZE = 200;

class Pager {
  constructor(path, changed) {
    this.path = path;
    this.changed = changed;
    this.items = [];
    this.total = null;
    this.more = {};
    this.next = `${path}${path.includes("?") ? "&" : "?"}limit=${SIZE}`;
    this.first = this.next;
    this.wanted = 0;
    this.busy = false;
    this.loaded = false;
    this.error = null;
    this.stop = new AbortController();
  }

  // Read on until the item with this index is there.
  ensure(index) {
    this.wanted = Math.max(this.wanted, index);
    if (!this.busy && !this.error) this.work();
  }

  async work() {
    this.busy = true;
    try {
      while (this.next && (!this.loaded || this.items.length <= this.wanted)) {
        const page = await fetchJson(this.next, this.stop.signal);
        this.take(page, this.items.concat(page.items));
      }
    } catch (error) {
      if (error.name !== "AbortError") this.error = error;
    }
    this.busy = false;
    if (!this.stop.signal.aborted) this.changed();
  }

  take(page, items) {
    this.items = items;
    this.next = page.next;
    this.total = page.total ?? null;
    const { items: _items, next: _next, total: _total, ...more } = page;
    this.more = more;
    this.loaded = true;
    this.changed();
  }

  // All that was read is read again, and shown when it is complete: nothing jumps.
  async refresh() {
    if (this.busy) return;
    this.busy = true;
    try {
      let [next, items, page] = [this.first, [], null];
      do {
        page = await fetchJson(next, this.stop.signal);
        items = items.concat(page.items);
        next = page.next;
      } while (next && items.length < this.items.length);
      this.error = null;
      this.take(page, items);
    } catch (error) {
      if (error.name !== "AbortError") this.error = error;
    }
    this.busy = false;
    if (!this.stop.signal.aborted) {
      this.changed();
      this.ensure(this.wanted);
    }
  }
}

// `path`: of the list, without limit; null: nothing is read. `epoch`: when it rises, the list is read anew.
export function usePager(path, epoch) {
  const [, draw] = useState(0);
  const pager = useMemo(() => path && new Pager(path, () => draw((n) => n + 1)), [path]);
  const seen = useRef({ pager: null, epoch });
  useEffect(() => {
    if (!pager) return undefined;
    pager.ensure(0);
    return () => pager.stop.abort();
  }, [pager]);
  const reading = Boolean(pager?.loaded && pager.more.complete === false && !pager.more.failures?.length);
  useEffect(() => {
    // The clouds are still being read: an event will tell, or the next look.
    if (!reading) return undefined;
    const timer = setInterval(() => pager.refresh(), 2000);
    return () => clearInterval(timer);
  }, [pager, reading]);
  useEffect(() => {
    // A new list is read by itself; only the same one is read again.
    if (pager && seen.current.pager === pager && seen.current.epoch !== epoch) pager.refresh();
    seen.current = { pager, epoch };
  }, [pager, epoch]);
  return pager;
}
