// The tenants of one cloud, thousands of them: searched and filtered by the service, read as far as one scrolls.
import { html, useMemo } from "../vendor/vendor.js";
import { count, number } from "./format.js";
import { useSettled } from "./hooks.js";
import { learn } from "./names.js";
import { usePager } from "./pager.js";
import { Empty, Search, Trouble, Wait } from "./parts.js";
import { cameFrom } from "./places.js";
import { set, useStore } from "./store.js";
import { TenantCard } from "./tenant_card.js";
import { VirtualList } from "./virtual.js";

const FILTERS = [
  ["", "All states"],
  ["none", "Not moved yet"],
  ["running", "Running"],
  ["done", "Done"],
  ["failed", "Failed"],
  ["stopped", "Stopped"],
  ["cancelled", "Cancelled"],
  ["reverted", "Rolled back"],
];

function Tools({ role }) {
  const search = useStore((s) => s.search[role]);
  const filter = useStore((s) => s.filter[role]);
  const change = (field) => (value) => set((s) => ({ [field]: { ...s[field], [role]: value } }));
  return html`<div class="tools">
    <${Search} label=${`Search tenants of the ${role}`} testid=${`search-${role}`} value=${search}
      onInput=${change("search")} />
    <label class="select"><span class="unseen">State of their migration</span>
      <select value=${filter} onChange=${(e) => change("filter")(e.target.value)}>
        ${FILTERS.map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}</select></label>
  </div>`;
}

function Status({ pager, role }) {
  if (!pager.loaded) return null;
  const { complete, failures = [] } = pager.more;
  return html`<p class="list-status soft small">
    ${pager.total === null ? number(pager.items.length) : count(pager.total, "tenant")}
    ${role === "source" && pager.items.length > 0 && html`<span
      class="keys"> · keys: <kbd>↓</kbd> <kbd>↑</kbd> to a card, <kbd>Enter</kbd> opens, <kbd>M</kbd> migrates</span>`}
    ${complete === false && html` · <span class="spinner tiny" aria-hidden="true"></span>sizes are still being read`}
    ${
      failures.length > 0 &&
      html`<details class="inline"><summary class="warn-text">
        ${count(failures.length, "service")} did not answer: what is missing says –</summary>
      ${failures.map((one) => html`<p class="said"><b>${one.service}</b>: ${one.error}</p>`)}</details>`
    }</p>`;
}

export function TenantList({ role }) {
  const search = useSettled(useStore((s) => s.search[role]));
  const filter = useStore((s) => s.filter[role]);
  const epoch = useStore((s) => s.epoch * 100003 + s.cloudEpoch[role]);
  const query = new URLSearchParams(
    [
      ["search", search.trim()],
      ["state", filter],
    ].filter(([, value]) => value),
  );
  const pager = usePager(`clouds/${role}/tenants${query.size ? `?${query}` : ""}`, epoch);
  const back = useMemo(() => cameFrom(role), []);
  useMemo(() => learn(pager.items), [pager.items]);
  const total = Math.max(pager.total ?? 0, pager.items.length);
  const clear = () => set((s) => ({ search: { ...s.search, [role]: "" }, filter: { ...s.filter, [role]: "" } }));
  const row = (i) => {
    const tenant = pager.items[i];
    if (!tenant) return html`<div class="card skeleton" aria-hidden="true"></div>`;
    return html`<${TenantCard} key=${tenant.id} role=${role} tenant=${tenant} index=${i} />`;
  };
  return html`<${Tools} role=${role} />
    <${Status} pager=${pager} role=${role} />
    ${pager.error && html`<${Trouble} problem=${pager.error} title="The tenants cannot be read"
      onRetry=${() => pager.refresh()} />`}
    ${!pager.loaded && !pager.error && html`<div class="virtual" aria-busy="true"><${Wait}
      text="Reading the tenants …" />${[1, 2, 3, 4].map((n) => html`<div key=${n} class="card skeleton"
      aria-hidden="true"></div>`)}</div>`}
    ${pager.loaded && total === 0 && pager.more.complete === false && html`<${Wait}
      text="The cloud's projects are being read …" />`}
    ${
      pager.loaded &&
      total === 0 &&
      pager.more.complete !== false &&
      (search || filter
        ? html`<${Empty} title="No tenant fits"><p>None ${search && html`is named like “${search}”`}
          ${filter && html` in this state`}.</p><p><button onClick=${clear}>Show all</button></p><//>`
        : html`<${Empty} title=${role === "source" ? "No tenants here" : "No tenants yet"}><p>${
            role === "source"
              ? "The account that Pumphouse uses sees no project but those of the services."
              : "What you move appears here."
          }</p><//>`)
    }
    ${
      pager.loaded &&
      total > 0 &&
      html`<${VirtualList} label=${`Tenants of the ${role}`} count=${total} height=${6.25} row=${row} focus=${back}
      onReach=${(to) => pager.ensure(Math.min(to, total - 1))} />`
    }`;
}
