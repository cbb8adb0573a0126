// A long list of which only the rows in sight are in the document; all rows are of one height.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/vendor.js";

const SPARE = 6;

// `row(index)` gives a row's content; `height` is in rem, so that it grows with the reader's font. Arrow keys move
// between rows: what has data-row in a row takes the focus.
export function VirtualList({ count, height, row, label, onReach, focus, class: name = "", testid }) {
  const box = useRef(null);
  const [range, setRange] = useState({ from: 0, to: 20 });
  const [focused, setFocused] = useState(-1);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const pixels = Math.round(height * rem);

  const measure = () => {
    const { scrollTop, clientHeight } = box.current;
    const from = Math.max(0, Math.floor(scrollTop / pixels) - SPARE);
    const to = Math.min(count, Math.ceil((scrollTop + clientHeight) / pixels) + SPARE);
    setRange((old) => (old.from === from && old.to === to ? old : { from, to }));
    onReach?.(to + SPARE);
  };

  useLayoutEffect(() => {
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(box.current);
    return () => watch.disconnect();
  }, [count, pixels]);

  const reach = (index) => {
    if (index < 0 || index >= count) return;
    const top = index * pixels;
    const { scrollTop, clientHeight } = box.current;
    if (top < scrollTop) box.current.scrollTop = top;
    else if (top + pixels > scrollTop + clientHeight) box.current.scrollTop = top + pixels - clientHeight;
    setFocused(index);
    measure();
    // It is drawn by then, also when it was far away.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => box.current?.querySelector(`[data-index="${index}"] [data-row]`)?.focus()),
    );
  };

  // The row that somebody comes back to.
  useEffect(() => {
    if (focus !== undefined && focus >= 0) reach(focus);
  }, [focus]);

  const keys = (event) => {
    if (!event.target.hasAttribute?.("data-row")) return;
    const at = Number(event.target.closest("[data-index]").dataset.index);
    const far = Math.max(1, Math.floor(box.current.clientHeight / pixels) - 1);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: count - 1,
      PageDown: Math.min(count - 1, at + far),
      PageUp: Math.max(0, at - far),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    reach(to);
  };

  const shown = [];
  for (let i = range.from; i < Math.min(range.to, count); i++) shown.push(i);
  // What has the focus must not vanish from under it.
  if (focused >= 0 && focused < count && !shown.includes(focused)) shown.push(focused);

  return html`<div class=${`virtual ${name}`} ref=${box} onScroll=${measure} data-testid=${testid}
    tabindex=${count ? undefined : "0"}>
    <div role="list" aria-label=${label} class="virtual-inner" style=${{ height: `${count * pixels}px` }}
      onKeyDown=${keys}
      onFocusIn=${(e) => setFocused(Number(e.target.closest("[data-index]")?.dataset.index ?? -1))}
      onFocusOut=${() => setFocused(-1)}>
      ${shown.map(
        (
          i,
        ) => html`<div role="listitem" class="virtual-row" key=${i} data-index=${i} aria-setsize=${count}
          aria-posinset=${i + 1}
        style=${{ transform: `translateY(${i * pixels}px)`, height: `${pixels}px` }}>${row(i)}</div>`,
      )}
    </div>
  </div>`;
}
