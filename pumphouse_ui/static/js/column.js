// One cloud: what it is and how it is, and its tenants or hosts; or one tenant that was opened.
import { html } from "../vendor/vendor.js";
import { Hosts } from "./hosts.js";
import { Icon } from "./icons.js";
import { Chip, Switch, Trouble } from "./parts.js";
import { moment } from "./format.js";
import { set, useStore } from "./store.js";
import { TenantList } from "./tenants.js";
import { Tenant } from "./tenant.js";

function Services({ cloud }) {
  const broken = cloud.services.filter((one) => !one.ok);
  return html`<details class="services">
    <summary><${Chip} state=${cloud.state}
      text=${broken.length ? `${cloud.state}: ${broken.map((one) => one.service).join(", ")}` : cloud.state} />
      </summary>
    <div class="popover">
      <table><caption class="unseen">Services of ${cloud.name}</caption>
        <thead><tr><th scope="col">service</th><th scope="col">state</th><th scope="col">version</th></tr></thead>
        <tbody>${cloud.services.map(
          (one) => html`<tr key=${one.service}><th scope="row">${one.service}</th>
          <td><${Chip} state=${one.ok ? "ok" : "down"} /></td><td>${one.version || "–"}</td></tr>
          ${one.error && html`<tr><td colspan="3" class="said">${one.error}</td></tr>`}`,
        )}</tbody></table>
      <p class="soft small"><code>${cloud.auth_url}</code><br />looked at ${moment(cloud.checked)}</p>
    </div>
  </details>`;
}

function Head({ role, title }) {
  const cloud = useStore((s) => s.clouds[role]);
  const error = useStore((s) => s.cloudsError);
  return html`<header class="column-head">
    <div class="column-title"><h2 id=${`title-${role}`}>${title}</h2>
      ${cloud && html`<span class="cloud-name">${cloud.name}</span><span class="soft small">
        ${[cloud.release, cloud.region].filter(Boolean).join(" · ")}</span>`}</div>
    ${cloud && html`<${Services} cloud=${cloud} />`}
    ${!cloud && error && html`<${Trouble} problem=${error} title="The clouds cannot be looked at"
      onRetry=${() => set((s) => ({ epoch: s.epoch + 1 }))} />`}
  </header>`;
}

export function Column({ role, title, open, hidden }) {
  const tab = useStore((s) => s.tab[role]);
  const choose = (key) => set((s) => ({ tab: { ...s.tab, [role]: key } }));
  return html`<section class=${`column ${role}`} hidden=${hidden} data-drop=${role} data-testid=${`column-${role}`}
    aria-labelledby=${`title-${role}`}>
    <${Head} role=${role} title=${title} />
    ${
      open
        ? html`<${Tenant} key=${open} role=${role} id=${open} />`
        : html`<${Switch} label=${`What of the ${role}`} value=${tab} onChange=${choose} options=${[
            ["tenants", "Tenants"],
            ["hosts", "Hosts"],
          ]} />
        ${tab === "hosts" ? html`<${Hosts} role=${role} />` : html`<${TenantList} role=${role} />`}`
    }
    <p class="drop-hint" aria-hidden="true"><${Icon}
      name="right" /> ${role === "destination" ? "Drop to see the plan" : "Drop to roll it back"}</p>
  </section>`;
}
