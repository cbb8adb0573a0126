// Sheets and questions: <dialog> elements. The browser keeps the focus inside; afterwards it goes back to where it was.
import { html, useEffect, useId, useRef } from "../vendor/vendor.js";
import { Icon } from "./icons.js";

export function Dialog({ title, onClose, children, foot, sheet = false, testid, closeTestid }) {
  const dialog = useRef(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    const mark = before?.closest?.("[data-focus]")?.dataset.focus;
    dialog.current.showModal();
    dialog.current.querySelector("h2").focus();
    return () => {
      // What opened it may have been drawn anew meanwhile.
      const back =
        before?.isConnected && before !== document.body
          ? before
          : mark && document.querySelector(`[data-focus="${CSS.escape(mark)}"]`);
      setTimeout(() => (back || document.querySelector("main h1"))?.focus?.(), 0);
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  // A click beside it closes it, as Escape does; a drag of text that ends there does not.
  const outside = (event) => {
    if (event.target === dialog.current) onClose();
  };
  return html`<dialog ref=${dialog} class=${sheet ? "sheet" : "question"} aria-labelledby=${id} data-testid=${testid}
    onCancel=${cancel} onMouseDown=${outside}>
    <div class="dialog-box">
      <header class="dialog-head"><h2 id=${id} tabindex="-1">${title}</h2>
        <button class="plain icon" aria-label="Close" data-testid=${closeTestid} onClick=${onClose}><${Icon}
          name="cross" /></button></header>
      <div class="dialog-body">${children}</div>
      ${foot && html`<footer class="dialog-foot">${foot}</footer>`}
    </div>
  </dialog>`;
}
