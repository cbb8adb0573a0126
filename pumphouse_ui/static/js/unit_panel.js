// One unit: what it does, why it failed in the service's own words, its resources, what it waits for, its log.
import { html, useMemo } from "../vendor/vendor.js";
import { fetchJson } from "./api.js";
import { clock, duration, moment, percent, short, size, words } from "./format.js";
import { useEvery, useLoad } from "./hooks.js";
import { Icon } from "./icons.js";
import { Dialog } from "./dialog.js";
import { Bar, Chip, Id, More, Trouble, Wait } from "./parts.js";

function Needs({ title, units, onChoose }) {
  if (!units.length) return null;
  return html`<h3>${title} <span class="count">${units.length}</span></h3>
    <ul class="lines"><${More} first=${10} items=${units} row=${(one) => html`<li key=${one.name}><button class="link"
      onClick=${() => onChoose(one.name)}>${one.title}</button> <${Chip} state=${one.state} /></li>`} /></ul>`;
}

export function UnitPanel({ id, name, live, units, onChoose, onClose }) {
  const state = live?.state;
  const { data, error, reload } = useLoad(
    (signal) => fetchJson(`migrations/${id}/units/${encodeURIComponent(name)}`, signal),
    [id, name, state],
  );
  useEvery(3000, reload, state === "running");
  const unit = { ...data, ...live };
  const byName = useMemo(() => new Map(units.map((one) => [one.name, one])), [units]);
  const needs = (unit.needs || []).map((need) => byName.get(need)).filter(Boolean);
  const needed = units.filter((one) => (one.needs || []).includes(name));
  const facts = [
    ["kind", words(unit.kind || "")],
    ["begun", moment(unit.started)],
    ["ended", moment(unit.finished)],
    ["downtime", unit.downtime ? duration(unit.downtime) : ""],
    ["accepted", unit.accepted ? "yes: it is not rolled back any more" : ""],
  ].filter(([, it]) => it);
  return html`<${Dialog} sheet testid="unit-panel" title=${unit.title || name} onClose=${onClose}>
    ${error && !data && html`<${Trouble} problem=${error} title="The unit cannot be read" onRetry=${reload} />`}
    <p><${Chip} state=${unit.state || "pending"} /> ${unit.state === "running" && html`<span>${unit.step}</span>`}</p>
    ${unit.bytes_total > 0 && html`<p class="unit-bytes"><${Bar} value=${percent(unit.bytes_done, unit.bytes_total)}
      state=${unit.state} label="Bytes" /> ${size(unit.bytes_done)} of ${size(unit.bytes_total)}</p>`}
    ${
      unit.error &&
      html`<div class="trouble"><${Icon} name="warn" /><div><p class="trouble-title">
        ${unit.state === "blocked" ? "It could not begin" : "Why it failed"}</p><p class="said">${unit.error}</p>
      ${unit.step && unit.state === "failed" && html`<p class="small">It was at: ${unit.step}</p>`}</div></div>`
    }
    <dl class="pairs">${facts.map(([key, it]) => html`<div key=${key}><dt>${key}</dt><dd>${it}</dd></div>`)}<div>
      <dt>name</dt><dd><${Id} id=${name} /></dd></div></dl>
    <${Needs} title="It needs" units=${needs} onChoose=${onChoose} /><${Needs} title="Waits for it" units=${needed}
      onChoose=${onChoose} />
    ${!data && !error && html`<${Wait} />`}
    ${
      data?.items?.length > 0 &&
      html`<h3>Resources <span class="count">${data.items.length}</span></h3><ul class="plan-items"><${More}
        items=${data.items} row=${(
        item,
      ) => html`<li key=${`${item.type}${item.id}`}><${Chip} state=${item.action} />
      <span class="item-name">${words(item.type)} ${short(item.name || item.id || "", 80)} <code class="id">${item.id}
        </code></span><span class="soft small">${item.reason}${item.bytes ? ` · ${size(item.bytes)}` : ""}</span>
          </li>`} /></ul>`
    }
    ${data?.log?.length > 0 && html`<h3>Log</h3><ol class="log-lines"><${More} first=${50}
      items=${[...data.log].reverse()} row=${(event) => html`<li key=${event.id}><time>${clock(event.time)}</time><span
      class="log-kind">${event.kind}</span><span class="said">${event.text}</span></li>`} /></ol>`}
  <//>`;
}
