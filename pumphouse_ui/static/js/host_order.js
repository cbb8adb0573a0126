// In which order tenants leave, so that hosts fall empty soon, and whether the destination has room for each step.
import { html } from "../vendor/vendor.js";
import { fetchJson, may } from "./api.js";
import { count, size } from "./format.js";
import { useHeading, useLoad, useTitle } from "./hooks.js";
import { Icon } from "./icons.js";
import { askPlan } from "./moving.js";
import { Chip, Empty, Trouble, Wait } from "./parts.js";
import { tenantLink } from "./places.js";

//: Placement's names, in its units.
const KINDS = [
  ["VCPU", (n) => count(n, "vCPU")],
  ["MEMORY_MB", (mib) => `${size(mib * 2 ** 20)} of memory`],
  ["DISK_GB", (gib) => `${size(gib * 2 ** 30)} of disk`],
];

function amounts(needed) {
  const told = KINDS.filter(([kind]) => needed[kind] !== undefined && needed[kind] !== null);
  return told.map(([kind, text]) => text(needed[kind])).join(", ");
}

const Tenant = ({ tenant }) => html`<li><a href=${tenantLink("source", tenant.id)}>${tenant.name}</a>
  <span class="soft"> ${count(tenant.servers, "server")} on ${tenant.hosts.join(", ")}; needs ${amounts(tenant.needs)}
    </span> <button class="link" disabled=${!may("operator")} aria-label=${`Plan the move of ${tenant.name}`}
    onClick=${() => askPlan({ tenant: tenant.id }, `tenant ${tenant.name}`)}>Plan …</button></li>`;

function Step({ step, turn }) {
  const [lacks, free] = [amounts(step.short), amounts(step.free)];
  return html`<li class="order-step" data-testid="order-step">
    <h2>${turn}. ${step.tenants.length ? `Move ${count(step.tenants.length, "tenant")}` : "Nothing is to be moved"}</h2>
    ${step.tenants.length > 0 && html`<ul class="lines">${step.tenants.map((one) => html`<${Tenant} key=${one.id}
      tenant=${one} />`)}</ul>`}
    ${lacks && html`<p><${Chip} state="blocks" text="No room" /> The destination lacks ${lacks} for it.</p>`}
    <p><${Icon} name="right" /> Then empty: <b>${step.hosts.join(", ")}</b><span class="soft">; gives ${amounts(step.gives)}</span></p>
    ${free && html`<p class="soft">The destination has then free: ${free}</p>`}
  </li>`;
}

export function HostOrder() {
  useTitle("Hosts that fall empty");
  const heading = useHeading("host-order");
  const { data, error, reload, loading } = useLoad((signal) => fetchJson("host-order", signal), []);
  const steps = data?.items || [];
  return html`<main class="page" id="main"><div class="page-head"><h1 ref=${heading} tabindex="-1">Hosts that fall
    empty</h1><button onClick=${reload} disabled=${loading}>Look again</button></div>
    <p class="soft">Which tenants to move first, so that whole hosts of the source are free soon and can be handed over.
      A host is taken to bring to the destination what it has in the source.</p>
    ${error && html`<${Trouble} problem=${error} title="The order cannot be told" onRetry=${reload} />`}
    ${!data && !error && html`<${Wait} text="Reading both clouds …" />`}
    ${data && !steps.length && html`<${Empty} title="No host"><p>Nova shows no hosts of the source.</p><//>`}
    <ol class="order">${steps.map((step, i) => html`<${Step} key=${i} step=${step} turn=${i + 1} />`)}</ol>
  </main>`;
}
