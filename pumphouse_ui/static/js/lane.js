// What is on its way: each migration is a pipe from left to right, and its tenant's card moves along in it.
import { html } from "../vendor/vendor.js";
import { duration, number, progress, size } from "./format.js";
import { isLive, nameOf, useNames } from "./migrations_known.js";
import { Chip } from "./parts.js";
import { useStore } from "./store.js";

const SHOWN = 4;

function Pipe({ migration: m }) {
  const value = progress(m);
  const back = m.state === "reverting";
  const name = nameOf(m);
  const figures = [
    `${number(m.units_done)} of ${number(m.units)} units`,
    m.units_failed && `${number(m.units_failed)} failed`,
    m.rate && `${size(m.rate)}/s`,
    m.seconds_left !== null && m.seconds_left !== undefined && `${duration(m.seconds_left)} left`,
  ].filter(Boolean);
  return html`<li class=${`pipe ${m.state}`}>
    <div class="pipe-words"><a href=${`#/migrations/${m.id}`}><b>${name}</b></a><${Chip} state=${m.state} /><span
      class="soft small">${figures.join(" · ")}</span></div>
    <div class="pipe-track" role="progressbar" aria-label=${`Migration ${m.id} of ${name}`} aria-valuemin="0"
      aria-valuemax="100" aria-valuenow=${value}>
      <div class="pipe-water" style=${{ width: `${value}%` }}></div>
      <div class=${`pipe-card ${back ? "back" : ""}`}
        style=${{ left: `${value}%`, transform: `translateX(-${value}%)` }}>${value} %</div>
    </div></li>`;
}

export function Lane() {
  useNames();
  const known = useStore((s) => s.migrations);
  const live = Object.values(known)
    .filter(isLive)
    .sort((a, b) => b.id - a.id);
  if (!live.length) return null;
  return html`<section class="lane" aria-label="On its way">
    <ul>${live.slice(0, SHOWN).map((m) => html`<${Pipe} key=${m.id} migration=${m} />`)}</ul>
    ${live.length > SHOWN && html`<p class="small"><a
      href="#/migrations?state=running">and ${number(live.length - SHOWN)} more in work</a></p>`}
  </section>`;
}
