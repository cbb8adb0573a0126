// Small parts that all views use: a state, a bar, what went wrong, what is not there.
import { html, useState } from "../vendor/vendor.js";
import { Icon } from "./icons.js";
import { number, words } from "./format.js";

const TONES = {
  good: ["done", "ok", "up", "active", "in-use", "available", "enabled", "create", "move", "equal", "mapped", "evacuated", "power on"],
  run: ["running", "planning", "making", "queued", "build"],
  bad: ["failed", "blocked", "error", "down", "conflict", "blocks", "differs", "deleted"],
  warn: [
    "reverting",
    "stopped",
    "cancelled",
    "degraded",
    "disabled",
    "loses",
    "suspended",
    "paused",
    "not verified",
    "skip",
  ],
};
const ICONS = {
  done: "check",
  ok: "check",
  running: "play",
  planning: "play",
  making: "play",
  failed: "cross",
  blocked: "block",
  error: "cross",
  down: "cross",
  stopped: "stop",
  cancelled: "stop",
  reverting: "back",
  reverted: "back",
  degraded: "warn",
  pending: "wait",
  queued: "wait",
  conflict: "cross",
  blocks: "block",
  loses: "warn",
  note: "info",
  create: "plus",
  move: "right",
  evacuated: "check",
  "power on": "power",
  "power off": "power",
  "power unknown": "power",
  reuse: "check",
  skip: "minus",
};

export const tone = (state) =>
  Object.keys(TONES).find((one) => TONES[one].includes(String(state).toLowerCase())) || "idle";
export const stateIcon = (state) => ICONS[String(state).toLowerCase()];

export const Chip = ({ state, text, title }) => html`<span class=${`chip ${tone(state)}`} title=${title}>
  ${stateIcon(state) && html`<${Icon} name=${stateIcon(state)} />`}<span>${text || words(state)}</span></span>`;

export const Bar = ({ value, label, state = "running", bare = false }) => html`<span class=${`bar ${tone(state)}`}>
  <span class="bar-track" role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${value}>
    <span class="bar-fill" style=${{ width: `${value}%` }}></span></span>
  ${!bare && html`<span class="bar-number">${value} %</span>`}</span>`;

// How full something is: above nine tenths that is said in words too.
export function Gauge({ name, used, total, unit = "" }) {
  const part = total > 0 ? Math.round((100 * used) / total) : 0;
  const state = part > 100 ? "failed" : part >= 90 ? "stopped" : "running";
  return html`<div class="gauge">
    <span class="gauge-name">${name}</span>
    <span class=${`bar-track ${tone(state)}`} aria-hidden="true"><span class="bar-fill"
      style=${{ width: `${Math.min(100, part)}%` }}></span></span>
    <span class="gauge-number">${number(used)} of ${number(total)}
      ${unit} · ${part} %${part > 100 ? ", over" : part >= 90 ? ", full" : ""}</span></div>`;
}

export const Wait = ({ text = "Reading …" }) =>
  html`<p class="wait"><span class="spinner" aria-hidden="true"></span>${text}</p>`;

// What the service said, as it said it, and what to do.
export function Trouble({ problem, title, onRetry, children }) {
  if (!problem) return null;
  return html`<div class="trouble" role="alert">
    <${Icon} name="warn" />
    <div>
      <p class="trouble-title">${title || "That did not work"}</p>
      <p class="said">${problem.detail || problem.message}</p>
      ${(problem.errors || []).map((one) => html`<p class="said"><code>${one.field}</code>: ${one.detail}</p>`)}
      ${problem.remedy && html`<p class="remedy"><b>What to do:</b> ${problem.remedy}</p>`}
      ${problem.code && html`<p class="soft small">code <code>${problem.code}</code></p>`}
      ${children}
      ${onRetry && html`<p><button onClick=${onRetry}>Try again</button></p>`}
    </div></div>`;
}

export const Empty = ({ title, children }) => html`<div class="empty"><${Drop} /><p class="empty-title">${title}</p>
  <div class="soft">${children}</div></div>`;

const Drop = () => html`<svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" class="empty-art">
  <path d="M24 6c7 8.500 11 14.500 11 20a11 11 0 0 1-22 0c0-5.500 4-11.500 11-20z" /><path d="M6 42h36" /></svg>`;

// A search field with its own label, for screen readers too.
export const Search = ({ value, onInput, label, testid }) => html`<label class="search">
  <${Icon} name="search" /><span class="unseen">${label}</span>
  <input type="search" value=${value} placeholder=${label} data-testid=${testid} autocomplete="off" spellcheck=${false}
    onInput=${(e) => onInput(e.target.value)} /></label>`;

// One of a few: buttons side by side.
export const Switch = ({
  options,
  value,
  onChange,
  label,
}) => html`<div class="switch" role="group" aria-label=${label}>
  ${options.map(([key, text]) => html`<button key=${key} aria-pressed=${key === value} onClick=${() => onChange(key)}>
    ${text}</button>`)}</div>`;

// The first lines of a list, the others on demand: a plan may have ten thousand.
export function More({ items, row, first = 25, step = 200 }) {
  const [shown, set] = useState(first);
  return html`${items.slice(0, shown).map(row)}
    ${
      items.length > shown &&
      html`<li class="more"><button class="plain" onClick=${() => set(shown + step)}>
      Show ${number(Math.min(step, items.length - shown))} more of ${number(items.length)}</button></li>`
    }`;
}

export const Figure = ({ name, value, tone: t, note }) =>
  html`<div class=${`figure ${t || ""}`}><dt>${name}</dt><dd>${value}${note && html`<small>${note}</small>`}
    </dd></div>`;

export const Id = ({ id }) => html`<code class="id" title=${id}>${id}</code>`;
