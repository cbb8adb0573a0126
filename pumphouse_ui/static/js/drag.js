// Drag and drop with pointer events: the same for mouse and touch (where a grip is taken, so that the list still
// scrolls). Everything that it does can be done by a button and a key too.
const FAR = 6;

let current = null;

const targetAt = (x, y) => document.elementFromPoint(x, y)?.closest?.("[data-drop]") || null;

function ghost(label) {
  const element = document.createElement("div");
  element.className = "ghost";
  element.setAttribute("aria-hidden", "true");
  element.textContent = label;
  document.body.append(element);
  return element;
}

function light(target) {
  if (current.target === target) return;
  current.target?.classList.remove("drop-here");
  current.target = target;
  // Nothing falls where it came from.
  if (target && target.dataset.drop !== current.from) target.classList.add("drop-here");
}

function begin(event) {
  current.active = true;
  current.ghost = ghost(current.label);
  document.documentElement.classList.add("dragging");
  document.documentElement.dataset.dragFrom = current.from;
  move(event);
}

function move(event) {
  if (!current || event.pointerId !== current.pointer) return;
  const [dx, dy] = [event.clientX - current.x, event.clientY - current.y];
  if (!current.active) {
    if (Math.hypot(dx, dy) >= FAR) begin(event);
    return;
  }
  event.preventDefault();
  current.ghost.style.transform = `translate(${event.clientX + 12}px, ${event.clientY + 12}px)`;
  light(targetAt(event.clientX, event.clientY));
}

function end(event, drop) {
  if (!current || (event.pointerId !== undefined && event.pointerId !== current.pointer)) return;
  const { active, target, from, onDrop } = current;
  light(null);
  current.ghost?.remove();
  document.documentElement.classList.remove("dragging");
  removeEventListener("pointermove", move);
  removeEventListener("pointerup", up);
  removeEventListener("pointercancel", cancel);
  removeEventListener("keydown", escape, true);
  current = null;
  if (!active) return;
  // The click that ends a drag is none.
  const swallow = (click) => {
    click.preventDefault();
    click.stopPropagation();
  };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, true), 0);
  if (drop && target && target.dataset.drop !== from) onDrop(target.dataset.drop);
}

const up = (event) => end(event, true);
const cancel = (event) => end(event, false);

function escape(event) {
  if (event.key !== "Escape" || !current?.active) return;
  event.preventDefault();
  event.stopPropagation();
  end({}, false);
}

// For onPointerDown: `from` is the column that it comes from, onDrop(column) is told where it fell.
export function dragStart(event, { from, label, onDrop }) {
  if (event.button !== 0 || current || event.target.closest("dialog")) return;
  const grip = event.target.closest("[data-grip]");
  if (!grip && (event.pointerType === "touch" || event.target.closest("button, input, select, summary"))) return;
  current = {
    pointer: event.pointerId,
    x: event.clientX,
    y: event.clientY,
    from,
    label,
    onDrop,
    active: false,
    target: null,
    ghost: null,
  };
  if (grip) event.target.releasePointerCapture?.(event.pointerId);
  addEventListener("pointermove", move, { passive: false });
  addEventListener("pointerup", up);
  addEventListener("pointercancel", cancel);
  addEventListener("keydown", escape, true);
}
