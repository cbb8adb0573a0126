// A tenant that was opened in its column: its servers, volumes, images, networks and users. Each can be moved by
// itself too, with what it needs.
import { html, useEffect, useMemo, useRef, useState } from "../vendor/vendor.js";
import { fetchJson, may } from "./api.js";
import { count, number } from "./format.js";
import { useLoad, useSettled } from "./hooks.js";
import { Icon } from "./icons.js";
import { isLive, migrationOf } from "./migrations_known.js";
import { askPlan, moveTo, ofResources } from "./moving.js";
import { learn } from "./names.js";
import { usePager } from "./pager.js";
import { Chip, Empty, Id, Search, Trouble, Wait } from "./parts.js";
import { useStore } from "./store.js";
import { stateOf, thingOf } from "./tenant_card.js";
import { ResourceRow } from "./resource_row.js";
import { VirtualList } from "./virtual.js";

const TYPES = [
  ["server", "Servers"],
  ["volume", "Volumes"],
  ["image", "Images"],
  ["network", "Networks"],
  ["user", "Users"],
];

function Resources({ role, tenant, type, chosen, choose }) {
  const [typed, setTyped] = useState("");
  const search = useSettled(typed);
  const epoch = useStore((s) => s.epoch * 100003 + s.cloudEpoch[role]);
  const query = new URLSearchParams({ project_id: tenant.id, ...(search.trim() ? { search: search.trim() } : {}) });
  const pager = usePager(`clouds/${role}/resources/${type}?${query}`, epoch);
  const total = Math.max(pager.total ?? 0, pager.items.length);
  useMemo(() => learn(pager.items), [pager.items]);
  const row = (i) =>
    pager.items[i]
      ? html`<${ResourceRow} role=${role} resource=${pager.items[i]} tenant=${tenant}
    checked=${chosen.has(pager.items[i].id)} onCheck=${() => choose(pager.items[i])} />`
      : html`<div class="card skeleton" aria-hidden="true"></div>`;
  return html`<div class="tools"><${Search} label=${`Search ${type}s of ${tenant.name}`} value=${typed}
    onInput=${setTyped} /></div>
    ${pager.loaded && html`<p class="list-status soft small">${count(total, type)}
      ${(pager.more.failures || []).map((one) => html`<span class="warn-text"> · ${one.service}: ${one.error}
        </span>`)}</p>`}
    ${pager.error && html`<${Trouble} problem=${pager.error} title=${`The ${type}s cannot be read`}
      onRetry=${() => pager.refresh()} />`}
    ${!pager.loaded && !pager.error && html`<${Wait} />`}
    ${pager.loaded && !total && html`<${Empty} title=${`No ${type}s`}><p>
      ${search ? "None is named so." : `${tenant.name} has none${type === "network" ? " of its own" : ""}.`}</p><//>`}
    ${total > 0 && html`<${VirtualList} label=${`${type}s of ${tenant.name}`} count=${total} height=${5} row=${row}
      onReach=${(to) => pager.ensure(Math.min(to, total - 1))} />`}`;
}

// The contract has no single tenant: a search for its id finds it.
async function readTenant(role, id, signal) {
  const page = await fetchJson(`clouds/${role}/tenants?search=${encodeURIComponent(id)}&limit=200`, signal);
  const tenant = page.items.find((one) => one.id === id);
  if (tenant) learn([tenant]);
  return tenant || { missing: true };
}

export function Tenant({ role, id }) {
  const epoch = useStore((s) => s.epoch + s.cloudEpoch[role]);
  const { data: tenant, error, reload } = useLoad((signal) => readTenant(role, id, signal), [role, id, epoch]);
  const back = html`<a class="back" href="#/"><${Icon} name="left" />All tenants</a>`;
  if (error && !tenant)
    return html`${back}<${Trouble} problem=${error} title="The tenant cannot be read" onRetry=${reload} />`;
  if (!tenant) return html`${back}<${Wait} text="Reading the tenant …" />`;
  if (tenant.missing)
    return html`${back}<${Empty} title="There is no such tenant"><p>The ${role} has no project with the id <${Id}
      id=${id} />: it may have been removed.</p><//>`;
  return html`<${Opened} role=${role} tenant=${tenant} back=${back} />`;
}

function Opened({ role, tenant, back }) {
  const migration = useStore((s) => migrationOf(tenant, s.migrations));
  const [type, setType] = useState("server");
  const [chosen, setChosen] = useState(new Map());
  const heading = useRef(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), [tenant.id]);
  const choose = (one) => {
    const next = new Map(chosen);
    if (!next.delete(one.id)) next.set(one.id, one);
    setChosen(next);
  };
  const { state, text } = stateOf(tenant, migration, role);
  const counts = { server: tenant.servers, volume: tenant.volumes, image: tenant.images };
  const some = [...chosen.values()];
  return html`<div class="tenant-head">${back}
      <div class="tenant-title"><h3 ref=${heading} tabindex="-1">${tenant.name}</h3><${Chip} state=${state}
        text=${text} />
        ${migration && html`<a href=${`#/migrations/${migration.id}`}>Migration ${migration.id}</a>`}</div>
      <p class="soft small">${tenant.domain_name || tenant.domain_id} · <${Id} id=${tenant.id} />
        ${tenant.enabled === false ? " · disabled" : ""}${tenant.description ? ` · ${tenant.description}` : ""}</p>
      ${
        role === "source" &&
        html`<p class="tenant-actions"><button class="primary" data-testid="migrate-tenant"
          data-focus=${`move-${tenant.id}`} disabled=${!may("operator") || isLive(migration)}
          onClick=${() => moveTo("destination", thingOf(role, tenant, migration))}>Migrate the whole tenant<${Icon}
          name="right" /></button>
        ${
          some.length > 0 &&
          html`<button data-testid="migrate-chosen"
            onClick=${() => askPlan(ofResources(some), some.length === 1 ? `${some[0].type} ${some[0].name}` : `${some.length} resources of ${tenant.name}`)}>
          Migrate ${some.length} chosen</button><button class="plain"
            onClick=${() => setChosen(new Map())}>Choose none</button>`
        }</p>`
      }
    </div>
    <div class="switch tabs" role="group" aria-label="What of the tenant">${TYPES.map(
      ([key, name]) => html`<button key=${key} aria-pressed=${key === type} onClick=${() => setType(key)}>
      ${name}${counts[key] !== undefined && counts[key] !== null && html` <span class="count">${number(counts[key])}
        </span>`}</button>`,
    )}</div>
    <${Resources} key=${type} role=${role} tenant=${tenant} type=${type} chosen=${chosen} choose=${choose} />`;
}
