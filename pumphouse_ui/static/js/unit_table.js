// The units as a list: searchable, filtered by state; it says what the graph shows.
import { html, useMemo, useState } from "../vendor/vendor.js";
import { count, duration, percent, size, words } from "./format.js";
import { Bar, Chip, Empty, Search } from "./parts.js";
import { VirtualList } from "./virtual.js";

const ORDER = ["failed", "blocked", "running", "reverting", "stopped", "pending", "done", "reverted"];

const took = (unit) =>
  unit.started && unit.finished && unit.finished > unit.started ? duration(unit.finished - unit.started) : "";

function unitWords(unit) {
  if (["failed", "blocked"].includes(unit.state)) return unit.error || unit.step;
  if (unit.state === "running") return unit.step;
  if (unit.state === "pending") return unit.needs?.length ? `waits for ${count(unit.needs.length, "unit")}` : "";
  return [took(unit) && `in ${took(unit)}`, unit.downtime ? `down for ${duration(unit.downtime)}` : ""]
    .filter(Boolean)
    .join(", ");
}

function Row({ unit, chosen, onChoose }) {
  const { name, title, state, bytes_done: done, bytes_total: total } = unit;
  const open = () => onChoose(name);
  const keys = (event) => {
    if (event.key !== "Enter" || event.target !== event.currentTarget) return;
    event.preventDefault();
    open();
  };
  return html`<article class=${`unit-row ${chosen ? "chosen" : ""}`} tabindex="0" data-row data-testid="unit-row"
    data-unit=${name} data-state=${state} data-focus=${`unit-${name}`}
      aria-label=${`${title}, ${state}`} onKeyDown=${keys} onClick=${open}>
    <div class="unit-line"><span class="unit-name">${title}</span>${unit.accepted && html`<span
      class="soft small">accepted</span>`}<${Chip} state=${state}
      text=${state === "reverted" ? "rolled back" : undefined} /></div>
    <div class="unit-line small soft"><span class=${`unit-words ${state === "failed" ? "bad-text" : ""}`}>
      ${unitWords(unit)}</span>
      ${state === "running" && total > 0 ? html`<span class="unit-bar"><${Bar} value=${percent(done, total)}
        label=${title} /></span>` : ""}
      ${total > 0 && html`<span class="nowrap">
        ${state === "running" ? `${size(done)} of ${size(total)}` : size(done || total)}</span>`}</div>
  </article>`;
}

export function UnitTable({ units, chosen, onChoose }) {
  const [search, setSearch] = useState("");
  const [state, setState] = useState("");
  const [order, setOrder] = useState("plan");
  const counts = useMemo(
    () => units.reduce((all, unit) => ({ ...all, [unit.state]: (all[unit.state] || 0) + 1 }), {}),
    [units],
  );
  const found = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    const fits = units.filter(
      (unit) =>
        (!state || unit.state === state) &&
        (!wanted || `${unit.title} ${unit.name} ${unit.kind} ${unit.error}`.toLowerCase().includes(wanted)),
    );
    return order === "state" ? [...fits].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state)) : fits;
  }, [units, search, state, order]);
  return html`<div class="tools"><${Search} label="Search units" value=${search} onInput=${setSearch}
    testid="search-units" />
      <label class="select"><span class="unseen">State</span><select value=${state}
        onChange=${(e) => setState(e.target.value)}><option value="">All states</option>
        ${ORDER.filter((one) => counts[one] || one === state).map((one) => html`<option key=${one} value=${one}>
          ${words(one)} (${counts[one] || 0})</option>`)}</select></label>
      <label class="select"><span class="unseen">Order</span><select value=${order}
        onChange=${(e) => setOrder(e.target.value)}><option value="plan">As planned</option><option
        value="state">Troubles first</option></select></label></div>
    <p class="list-status soft small">${count(found.length, "unit")}</p>
    ${
      found.length
        ? html`<${VirtualList} class="units" label="Units" count=${found.length} height=${3.5} row=${(i) => html`<${Row}
          key=${found[i].name} unit=${found[i]} chosen=${found[i].name === chosen} onChoose=${onChoose} />`} />`
        : html`<${Empty} title="No unit fits"><p>Search for something else, or choose all states.</p><//>`
    }`;
}
