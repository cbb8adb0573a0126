// A tenant in its column: what it holds, what becomes of it, and the three ways to move it (drag, button, key).
import { html } from "../vendor/vendor.js";
import { may } from "./api.js";
import { dragStart } from "./drag.js";
import { number, progress, size, words } from "./format.js";
import { Icon } from "./icons.js";
import { isLive, migrationOf } from "./migrations_known.js";
import { moveTo, ofTenant } from "./moving.js";
import { Bar, Chip } from "./parts.js";
import { useStore } from "./store.js";
import { openTenant, tenantLink } from "./places.js";

const other = { source: "destination", destination: "source" };

function Holds({ tenant }) {
  const { servers, volumes, volume_gib: gib } = tenant;
  const told = (n, one) => html`<span><b>${number(n)}</b> ${n === 1 ? one : `${one}s`}</span>`;
  return html`<span class="holds">${told(servers, "server")}${told(volumes, "volume")}<span><b>${number(gib)}
    </b> GiB</span></span>`;
}

function Moving({ migration }) {
  const value = progress(migration);
  const bytes = migration.bytes_total ? ` · ${size(migration.bytes_done)} of ${size(migration.bytes_total)}` : "";
  return html`<span class="moving"><${Bar} value=${value} state=${migration.state}
    label=${`Migration ${migration.id}`} />
    <span class="soft small">${migration.units_done} of ${migration.units} units${migration.units_failed ? `, ${migration.units_failed} failed` : ""}
      ${bytes}</span></span>`;
}

export function stateOf(tenant, migration, role) {
  if (migration) return { state: migration.state, text: { reverted: "rolled back" }[migration.state] };
  if (tenant.counterpart_id) return { state: "there", text: role === "source" ? "in both clouds" : "from the source" };
  if (tenant.enabled === false) return { state: "disabled" };
  return { state: "here", text: role === "source" ? "not moved" : "its own" };
}

export const thingOf = (role, tenant, migration) => ({
  role,
  label: `tenant ${tenant.name}`,
  selection: ofTenant(tenant),
  migration,
});

export function TenantCard({ role, tenant, index }) {
  const migration = useStore((s) => migrationOf(tenant, s.migrations));
  const live = isLive(migration);
  const thing = thingOf(role, tenant, migration);
  const move = () => moveTo(other[role], thing);
  const { state, text } = stateOf(tenant, migration, role);
  const keys = (event) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const wanted = role === "source" ? "ArrowRight" : "ArrowLeft";
    if (event.key === "Enter") openTenant(role, tenant, index);
    else if (event.key === wanted || event.key.toLowerCase() === "m") move();
    else return;
    event.preventDefault();
  };
  const open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openTenant(role, tenant, index);
  };
  const grab = (event) =>
    !live && may("operator") && dragStart(event, { from: role, label: tenant.name, onDrop: (to) => moveTo(to, thing) });
  return html`<article class=${`card ${live ? "live" : ""}`} tabindex="0" data-row
    data-focus=${`tenant-${role}-${tenant.id}`} data-testid="tenant-card"
      data-tenant-id=${tenant.id} data-name=${tenant.name} data-state=${state}
        aria-label=${`Tenant ${tenant.name}, ${text || words(state)}`}
      aria-keyshortcuts=${`Enter M ${role === "source" ? "ArrowRight" : "ArrowLeft"}`} onKeyDown=${keys}
        onPointerDown=${grab}>
    <span class="grip" data-grip aria-hidden="true" title="Drag it to the other cloud"><${Icon} name="grip" /></span>
    <div class="card-main">
      <div class="card-name"><a href=${tenantLink(role, tenant.id)} draggable=${false} onClick=${open}
        title=${tenant.name}>${tenant.name}</a></div>
      <div class="card-sub soft small"><span class="domain">${tenant.domain_name || tenant.domain_id}</span> <code
        class="id">${tenant.id}</code></div>
      ${live ? html`<${Moving} migration=${migration} />` : html`<${Holds} tenant=${tenant} />`}
    </div>
    <div class="card-side"><${Chip} state=${state} text=${text} />
      <${CardAction} role=${role} tenant=${tenant} migration=${migration} live=${live} move=${move} /></div>
  </article>`;
}

function CardAction({ role, tenant, migration, live, move }) {
  const see =
    migration &&
    html`<a class="button" href=${`#/migrations/${migration.id}`}
      aria-label=${`Migration ${migration.id} of ${tenant.name}`}>Migration ${migration.id}</a>`;
  if (live || role === "destination") return see;
  return html`<span class="card-actions">${migration && !["reverted"].includes(migration.state) && html`<a
    class="quiet-link" href=${`#/migrations/${migration.id}`}
    aria-label=${`Migration ${migration.id} of ${tenant.name}`}>#${migration.id}</a>`}
    <button data-testid="migrate-button" data-focus=${`move-${tenant.id}`} disabled=${!may("operator")}
      aria-label=${`Migrate ${tenant.name} to the destination`} onClick=${move}>Migrate<${Icon} name="right" /></button>
        </span>`;
}
