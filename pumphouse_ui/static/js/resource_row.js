// A server, volume, image, network or user in its tenant. Opening it shows what the service says of it.
import { html, useState } from "../vendor/vendor.js";
import { fetchJson, may } from "./api.js";
import { Dialog } from "./dialog.js";
import { dragStart } from "./drag.js";
import { size, words } from "./format.js";
import { useLoad } from "./hooks.js";
import { Icon } from "./icons.js";
import { moveTo, ofResources } from "./moving.js";
import { Chip, Id, Trouble, Wait } from "./parts.js";

const gib = (mib) => (mib >= 1024 ? `${Math.round(mib / 102.4) / 10} GiB` : `${mib} MiB`);

const SUMMARIES = {
  server: (s) => [
    s.flavor,
    s.vcpus && `${s.vcpus} vCPU`,
    s.ram_mib && gib(s.ram_mib),
    s.disk_gib && `${s.disk_gib} GiB disk`,
    (s.addresses || []).slice(0, 3).join(", "),
  ],
  volume: (s) => [
    s.size_gib !== undefined && `${s.size_gib} GiB`,
    s.volume_type,
    s.bootable === true || s.bootable === "true" ? "bootable" : "",
    s.attached_to?.length ? "attached" : "detached",
  ],
  image: (s) => [size(s.size), s.disk_format, s.visibility],
  network: (s) => [
    s.external && "external",
    s.shared && "shared",
    typeof s.subnets === "number"
      ? `${s.subnets} subnets`
      : Array.isArray(s.subnets)
        ? `${s.subnets.length} subnets`
        : "",
  ],
  user: (s) => [s.email, s.enabled === false ? "disabled" : ""],
};

const summary = ({ type, summary: told }) => (SUMMARIES[type]?.(told || {}) || []).filter(Boolean).join(" · ");

function Details({ role, resource, onClose }) {
  const { data, error, reload } = useLoad(
    (signal) => fetchJson(`clouds/${role}/resources/${resource.type}/${encodeURIComponent(resource.id)}`, signal),
    [],
  );
  const fields = Object.entries(data?.resource || {});
  return html`<${Dialog} sheet title=${`${words(resource.type)} ${resource.name || resource.id}`} onClose=${onClose}>
    <p class="soft small">As the ${role} answers, without secrets.</p>
    ${error && html`<${Trouble} problem=${error} onRetry=${reload} />`}${!data && !error && html`<${Wait} />`}
    <dl class="fields">${fields.map(([name, it]) => html`<div key=${name}><dt><code>${name}</code></dt><dd>
      ${it !== null && typeof it === "object" ? html`<pre>${JSON.stringify(it, null, 1)}</pre>` : String(it)}</dd>
        </div>`)}</dl>
  <//>`;
}

export function ResourceRow({ role, resource, tenant, checked, onCheck }) {
  const [open, setOpen] = useState(false);
  const { type, id, name } = resource;
  const label = `${words(type)} ${name || id}`;
  const thing = { role, label, selection: ofResources([resource]), migration: null };
  const movable = role === "source" && may("operator");
  const keys = (event) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") setOpen(true);
    else if (movable && (event.key === "ArrowRight" || event.key.toLowerCase() === "m")) moveTo("destination", thing);
    else if (movable && event.key === " ") onCheck();
    else return;
    event.preventDefault();
  };
  const grab = (event) =>
    movable &&
    dragStart(event, { from: role, label: `${name || id} (${tenant.name})`, onDrop: (to) => moveTo(to, thing) });
  return html`<article class="card resource" tabindex="0" data-row
    data-testid=${type === "server" ? "server-row" : "resource-row"} data-id=${id} data-name=${name}
      data-focus=${`${type}-${id}`}
      aria-label=${`${label}${resource.status ? `, ${resource.status}` : ""}`} onKeyDown=${keys} onPointerDown=${grab}>
    ${
      role === "source" &&
      html`<span class="grip" data-grip aria-hidden="true"><${Icon} name="grip" /></span>
      <label class="tick"><input type="checkbox" checked=${checked} disabled=${!movable} aria-label=${`Choose ${label}`}
        onChange=${onCheck} /></label>`
    }
    <div class="card-main"><div class="card-name"><button class="link" onClick=${() => setOpen(true)}>
      ${name || html`<${Id} id=${id} />`}</button>
        ${resource.status && html`<${Chip} state=${resource.status} />`}</div>
      <div class="soft small line">${summary(resource)}</div><div class="soft small line"><code class="id">${id}</code>
        </div></div>
    ${role === "source" && html`<div class="card-side"><button data-testid="migrate-button" disabled=${!movable}
      aria-label=${`Migrate ${label} to the destination`} onClick=${() => moveTo("destination", thing)}>Migrate<${Icon}
        name="right" /></button></div>`}
    ${open && html`<${Details} role=${role} resource=${resource} onClose=${() => setOpen(false)} />`}
  </article>`;
}
