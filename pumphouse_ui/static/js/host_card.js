// A host in its column: how it is, how full, what becomes of it, and the three ways to move it (drag, button, key).
import { html } from "../vendor/vendor.js";
import { may } from "./api.js";
import { dragStart } from "./drag.js";
import { count } from "./format.js";
import { evacuate, isEmpty, isEvacuated, moveHost, reassign } from "./host_moves.js";
import { PowerChip, usePower } from "./host_power.js";
import { Icon } from "./icons.js";
import { isLive } from "./migrations_known.js";
import { Chip, Gauge } from "./parts.js";
import { go, withQuery } from "./router.js";
import { useStore } from "./store.js";

const other = { source: "destination", destination: "source" };
const gib = (mib) => Math.round(mib / 1024);

// The newest migration about a host: of what the list said and what events told.
export function migrationOf(host, migrations) {
  const told = [host.evacuation, host.reassignment].filter(Boolean);
  const newer = Object.values(migrations).filter(
    ({ selection }) => selection && [host.host, host.name].some((n) => n === selection.evacuate || n === selection.reassign),
  );
  const [last] = [...told, ...newer].sort((a, b) => b.id - a.id);
  return last ? { ...last, ...migrations[last.id] } : null;
}

export function stateOf(host, migration) {
  if (isLive(migration)) {
    const handed = migration.id === host.reassignment?.id || migration.selection?.reassign;
    const back = migration.state === "reverting";
    return { state: migration.state, text: back ? "taken back" : handed ? "being handed over" : "being emptied" };
  }
  if (host.state === "down") return { state: "down" };
  if (isEvacuated(host)) return { state: "evacuated" };
  if (host.status === "disabled") return { state: "disabled" };
  return { state: host.state || "unknown" };
}

const hostLink = (role, host) => withQuery({ host: `${role}:${host.name}` });
export const undo = (host) => go(`#/migrations/${host.evacuation.id}?do=rollback`);
export const canUndo = (host) => Boolean(host.evacuation) && !["reverted", "reverting"].includes(host.evacuation.state);

function Actions({ host, migration }) {
  const off = !may("operator");
  if (isLive(migration))
    return html`<a class="button" href=${`#/migrations/${migration.id}`}
      aria-label=${`Migration ${migration.id} of ${host.name}`}>Migration ${migration.id}</a>`;
  if (!isEmpty(host))
    return html`<button data-testid="evacuate-button" data-focus=${`evacuate-${host.name}`} disabled=${off}
      aria-label=${`Evacuate ${host.name}`} onClick=${() => evacuate(host)}>Evacuate …</button>`;
  return html`<button data-testid="reassign-button" data-focus=${`reassign-${host.name}`} disabled=${off}
      aria-label=${`Reassign ${host.name} to the destination`} onClick=${() => reassign(host)}>Reassign …<${Icon}
      name="right" /></button>
    ${canUndo(host) && html`<button class="plain" data-testid="undo-button" disabled=${off}
      aria-label=${`Undo the evacuation of ${host.name}`} onClick=${() => undo(host)}>Undo evacuation …</button>`}`;
}

export function HostCard({ role, host }) {
  const migration = useStore((s) => migrationOf(host, s.migrations));
  const power = usePower(host.name, host.inventory, migration?.state);
  const live = isLive(migration);
  const { state, text } = stateOf(host, migration);
  const movable = role === "source" && may("operator") && !live;
  const move = (to) => moveHost(to, role, host);
  const keys = (event) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const wanted = role === "source" ? "ArrowRight" : "ArrowLeft";
    if (event.key === "Enter") go(hostLink(role, host));
    else if (!live && (event.key === wanted || event.key.toLowerCase() === "m")) move(other[role]);
    else return;
    event.preventDefault();
  };
  const grab = (event) => movable && dragStart(event, { from: role, label: host.name, onDrop: move });
  const why = host.status === "disabled" && host.disabled_reason;
  return html`<article class=${`card host ${live ? "live" : ""} ${movable ? "movable" : ""}`} tabindex="0" data-row
    data-testid="host-row" data-name=${host.name} data-state=${state} data-focus=${`host-${role}-${host.name}`}
    aria-label=${`Host ${host.name}, ${text || state}, ${count(host.servers ?? 0, "server")}`}
    aria-keyshortcuts=${`Enter M ${role === "source" ? "ArrowRight" : "ArrowLeft"}`} onKeyDown=${keys}
    onPointerDown=${grab}>
    ${role === "source" && html`<span class="grip" data-grip aria-hidden="true"
      title="Drag it to the other cloud"><${Icon} name="grip" /></span>`}
    <div class="card-main">
      <div class="host-name"><a href=${hostLink(role, host)} draggable=${false} title=${host.name}
          data-testid="host-open">${host.name}</a><${Chip} state=${state} text=${text} />
        <${PowerChip} power=${power} noted=${host.inventory} /></div>
      <div class="soft small line" title=${why || undefined}>${count(host.servers ?? 0, "server")}
        ${why ? ` · ${why}` : ""}</div>
      <div class="gauges"><${Gauge} name="vCPU" used=${host.vcpus_used} total=${host.vcpus} />
        <${Gauge} name="RAM" used=${gib(host.memory_mb_used)} total=${gib(host.memory_mb)} unit=" GiB" />
        <${Gauge} name="Disk" used=${host.local_gb_used} total=${host.local_gb} unit=" GiB" /></div>
    </div>
    ${role === "source" && html`<div class="card-side"><${Actions} host=${host} migration=${migration} /></div>`}
  </article>`;
}
