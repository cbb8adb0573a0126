// The hosts of one cloud, and how full they are.
import { html, useMemo, useState } from "../vendor/vendor.js";
import { readAll } from "./api.js";
import { count, number } from "./format.js";
import { useLoad } from "./hooks.js";
import { Chip, Empty, Gauge, Search, Trouble, Wait } from "./parts.js";
import { useStore } from "./store.js";
import { VirtualList } from "./virtual.js";

const gib = (mib) => Math.round(mib / 1024);

function Host({ host }) {
  const off = host.status === "disabled";
  return html`<article class="card host" tabindex="0" data-row data-testid="host-row" data-name=${host.name}
    aria-label=${`Host ${host.name}, ${host.state}, ${host.status}`}>
    <div class="card-main">
      <div class="host-name"><b title=${host.name}>${host.name}</b><${Chip} state=${host.state} />${off && html`<${Chip}
        state="disabled" />`}
        <span class="soft small">${count(host.servers ?? 0, "server")}
          ${off && host.disabled_reason ? ` · ${host.disabled_reason}` : ""}</span></div>
      <div class="gauges"><${Gauge} name="vCPU" used=${host.vcpus_used} total=${host.vcpus} />
        <${Gauge} name="RAM" used=${gib(host.memory_mb_used)} total=${gib(host.memory_mb)} unit=" GiB" />
        <${Gauge} name="Disk" used=${host.local_gb_used} total=${host.local_gb} unit=" GiB" /></div>
    </div></article>`;
}

const ORDERS = {
  name: (a, b) => a.name.localeCompare(b.name),
  full: (a, b) => b.memory_mb_used / (b.memory_mb || 1) - a.memory_mb_used / (a.memory_mb || 1),
  free: (a, b) => a.memory_mb_used / (a.memory_mb || 1) - b.memory_mb_used / (b.memory_mb || 1),
};

export function Hosts({ role }) {
  const epoch = useStore((s) => s.epoch + s.cloudEpoch[role]);
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState("name");
  const { data, error, reload } = useLoad((signal) => readAll(`clouds/${role}/hosts`, { signal }), [role, epoch]);
  const hosts = useMemo(
    () => (data || []).filter((host) => host.name.toLowerCase().includes(search.toLowerCase())).sort(ORDERS[order]),
    [data, search, order],
  );
  const down = hosts.filter((host) => host.state !== "up").length;
  return html`<div class="tools"><${Search} label=${`Search hosts of the ${role}`} value=${search}
    onInput=${setSearch} />
      <label class="select"><span class="unseen">Order</span><select value=${order}
        onChange=${(e) => setOrder(e.target.value)}>
        <option value="name">By name</option><option value="full">Fullest first</option><option
          value="free">Emptiest first</option></select></label></div>
    ${error && html`<${Trouble} problem=${error} title="The hosts cannot be read" onRetry=${reload} />`}
    ${!data && !error && html`<${Wait} text="Reading the hosts …" />`}
    ${data && html`<p class="list-status soft small">${count(hosts.length, "host")}
      ${down ? `, ${number(down)} not up` : ""}</p>`}
    ${data && !hosts.length && html`<${Empty} title="No host"><p>
      ${search ? "None is named so." : "Nova shows no hosts to Pumphouse's account."}</p><//>`}
    ${hosts.length > 0 && html`<${VirtualList} label=${`Hosts of the ${role}`} count=${hosts.length} height=${6.5}
      row=${(i) => html`<${Host} key=${hosts[i].id} host=${hosts[i]} />`} />`}`;
}
