// All migrations, the newest first.
import { html } from "../vendor/vendor.js";
import { count, moment, number, progress, size } from "./format.js";
import { useHeading, useSettled, useTitle } from "./hooks.js";
import { nameOf, useNames } from "./migrations_known.js";
import { usePager } from "./pager.js";
import { Bar, Chip, Empty, Search, Trouble, Wait } from "./parts.js";
import { go, withQuery } from "./router.js";
import { useStore } from "./store.js";

const STATES = ["queued", "planning", "running", "done", "failed", "stopped", "cancelled", "reverting", "reverted"];

function Row({ migration, known }) {
  const m = known ? { ...migration, ...known } : migration;
  return html`<tr data-migration-id=${m.id} data-state=${m.state}>
    <td class="n"><a href=${`#/migrations/${m.id}`} aria-label=${`Migration ${m.id}`}>${m.id}</a></td>
    <th scope="row"><a href=${`#/migrations/${m.id}`}>${nameOf(m)}</a>${m.accepted > 0 && html` <span
      class="soft small">accepted</span>`}</th>
    <td><${Chip} state=${m.state} text=${m.state === "reverted" ? "rolled back" : undefined} /></td>
    <td data-label="units"><${Bar} value=${progress(m)} state=${m.state} label=${`Migration ${m.id}`} bare /><span
      class="small">${number(m.units_done)} of ${number(m.units)}${m.units_failed ? html`, <b class="bad-text">
      ${number(m.units_failed)} failed</b>` : ""}</span></td>
    <td class="n" data-label="moved">${size(m.bytes_done)}</td>
    <td class="small" data-label="begun">${moment(m.created)}<br /><span class="soft">${m.started_by || ""}</span>
      </td></tr>`;
}

export function Migrations({ route }) {
  useTitle("Migrations");
  useNames();
  const heading = useHeading("migrations");
  const { state = "", search: typed = "" } = route.query;
  const search = useSettled(typed);
  const epoch = useStore((s) => s.epoch * 100003 + Object.keys(s.migrations).length);
  const known = useStore((s) => s.migrations);
  const query = new URLSearchParams(
    [
      ["state", state],
      ["search", search.trim()],
    ].filter(([, value]) => value),
  );
  const pager = usePager(`migrations${query.size ? `?${query}` : ""}`, epoch);
  const choose = (patch) => go(withQuery(patch), { replace: true });
  const items = pager.items;
  return html`<main class="page" id="main"><div class="page-head"><h1 ref=${heading} tabindex="-1">Migrations</h1>
      <${Search} label="Search migrations" value=${typed} onInput=${(text) => choose({ search: text })}
        testid="search-migrations" />
      <label class="select"><span class="unseen">State</span><select value=${state} data-testid="filter-state"
        onChange=${(e) => choose({ state: e.target.value })}>
        <option value="">All states</option>${STATES.map((one) => html`<option key=${one} value=${one}>
          ${one === "reverted" ? "rolled back" : one}</option>`)}</select></label></div>
    ${pager.error && html`<${Trouble} problem=${pager.error} title="The migrations cannot be read"
      onRetry=${() => pager.refresh()} />`}
    ${!pager.loaded && !pager.error && html`<${Wait} text="Reading the migrations …" />`}
    ${
      pager.loaded &&
      !items.length &&
      (state || search
        ? html`<${Empty} title="None fits"><p><button
          onClick=${() => choose({ state: "", search: "" })}>Show all</button></p><//>`
        : html`<${Empty} title="Nothing was moved yet"><p>Choose a tenant in the <a
          href="#/">source</a>; the plan comes first, and changes nothing.</p><//>`)
    }
    ${
      items.length > 0 &&
      html`<p class="soft small">${count(pager.total ?? items.length, "migration")}</p>
      <table class="data stack" data-testid="migrations-list"><thead><tr><th scope="col" class="n">id</th><th
        scope="col">what</th><th scope="col">state</th><th scope="col">units</th><th scope="col" class="n">moved</th><th
        scope="col">begun</th></tr></thead>
      <tbody>${items.map((m) => html`<${Row} key=${m.id} migration=${m} known=${known[m.id]} />`)}</tbody></table>
      ${pager.next && html`<p><button onClick=${() => pager.ensure(items.length)}>Show more</button></p>`}`
    }
  </main>`;
}
