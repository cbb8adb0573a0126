// Small drawings, 16 by 16, in the colour of the text. They never stand alone for a meaning.
import { html } from "../vendor/vendor.js";

const PATHS = {
  check: "M3 8.5l3.2 3.2L13 4.8",
  cross: "M4 4l8 8M12 4l-8 8",
  play: "M5 3.2l7.5 4.8L5 12.8z",
  wait: "M8 4.2V8l2.6 1.8M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z",
  stop: "M4.5 4.5h7v7h-7z",
  back: "M6.5 3.5L3 7l3.5 3.5M3.4 7H10a3 3 0 0 1 0 6H7",
  block: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM3.9 3.9l8.2 8.2",
  right: "M3 8h9.5M9 4.5L12.5 8 9 11.5",
  left: "M13 8H3.5M7 4.5L3.5 8 7 11.5",
  grip: "M6 3.5v.01M10 3.5v.01M6 8v.01M10 8v.01M6 12.5v.01M10 12.5v.01",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4L14 14",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8L13 13M3 13l1.2-1.2M11.8 4.2L13 3",
  moon: "M13.2 9.6A5.7 5.7 0 0 1 6.4 2.8 5.7 5.7 0 1 0 13.2 9.6z",
  out: "M6 2.5H3v11h3M7 8h6.5M10.7 5L13.7 8l-3 3",
  warn: "M8 2.2L14.4 13.4H1.6zM8 6.4v3.2M8 11.6v.01",
  info: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7.2V11M8 5v.01",
  more: "M4 6l4 4 4-4",
  shield: "M8 1.8l5 1.9v4c0 3.2-2.1 5.3-5 6.5-2.9-1.2-5-3.3-5-6.5v-4zM5.8 8l1.6 1.6 2.9-3",
  open: "M9.5 2.5h4v4M13.5 2.5L8 8M6.5 3.5h-4v10h10v-4",
  power: "M8 2v6M4.8 4.2a5 5 0 1 0 6.4 0",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6v-3.500h3.500M13.500 6v-3.500h-3.500M2.500 10v3.500h3.500M13.500 10v3.500h-3.500",
};

export const Icon = ({
  name,
}) => html`<svg class="ico" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
  <path d=${PATHS[name] || PATHS.info} /></svg>`;

// The mark: two tanks, one lower than the other, and the water between.
export const Mark =
  () => html`<svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
  <path class="mark-pipe" d="M5 9v10a6 6 0 0 0 6 6h10a6 6 0 0 0 6-6V9" />
  <path class="mark-drop" d="M16 3.500c3 3.700 4.800 6.300 4.800 8.800a4.800 4.800 0 0 1-9.600 0c0-2.500 1.800-5.100 4.800-8.800z" /></svg>`;
