// The hosts of one cloud, how they are and how full.
import { html, useMemo, useState } from "../vendor/vendor.js";
import { readAll } from "./api.js";
import { count, number } from "./format.js";
import { useEvery, useLoad } from "./hooks.js";
import { HostCard } from "./host_card.js";
import { Empty, Search, Trouble, Wait } from "./parts.js";
import { useStore } from "./store.js";
import { VirtualList } from "./virtual.js";

const part = (host) => (host.memory_mb_used || 0) / (host.memory_mb || 1);
const ORDERS = {
  name: (a, b) => a.name.localeCompare(b.name),
  full: (a, b) => part(b) - part(a),
  free: (a, b) => part(a) - part(b),
};

// All of them, and what beside the list is worth a word.
async function readHosts(role, signal) {
  let failures = [];
  let complete = true;
  const page = (_items, got) => {
    failures = got.failures || [];
    complete = got.complete !== false;
  };
  const hosts = await readAll(`clouds/${role}/hosts`, { signal, page });
  return { hosts, failures, complete };
}

export function Hosts({ role }) {
  const epoch = useStore((s) => s.epoch + s.cloudEpoch[role]);
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState("name");
  const { data, error, reload } = useLoad((signal) => readHosts(role, signal), [role, epoch]);
  const hosts = useMemo(
    () =>
      (data?.hosts || [])
        .filter((host) => host.name.toLowerCase().includes(search.trim().toLowerCase()))
        .sort(ORDERS[order]),
    [data, search, order],
  );
  // What others do in Nova shows here too, in time.
  useEvery(30000, reload);
  const down = hosts.filter((host) => host.state !== "up").length;
  return html`<div class="tools"><${Search} label=${`Search hosts of the ${role}`} value=${search}
    onInput=${setSearch} testid=${`search-hosts-${role}`} />
      <label class="select"><span class="unseen">Order</span><select value=${order}
        onChange=${(e) => setOrder(e.target.value)}>
        <option value="name">By name</option><option value="full">Fullest first</option><option
          value="free">Emptiest first</option></select></label></div>
    ${error && html`<${Trouble} problem=${error} title="The hosts cannot be read" onRetry=${reload} />`}
    ${!data && !error && html`<${Wait} text="Reading the hosts …" />`}
    ${data && html`<p class="list-status soft small">${count(hosts.length, "host")}
      ${down ? `, ${number(down)} not up` : ""}${role === "source" && hosts.length > 0 && html`<span
      class="keys"> · keys: <kbd>↓</kbd> <kbd>↑</kbd> to a host, <kbd>Enter</kbd> opens, <kbd>M</kbd> moves</span> ·
      <a href="#/host-order" data-testid="host-order-link">which fall empty first</a>`}
      ${data.failures.map((one) => html`<span key=${one.service} class="warn-text"> · ${one.service}: ${one.error}
        </span>`)}</p>`}
    ${data && !hosts.length && data.complete && html`<${Empty} title="No host"><p>
      ${search ? "None is named so." : "Nova shows no hosts to Pumphouse's account."}</p><//>`}
    ${data && !hosts.length && !data.complete && html`<${Wait} text="Reading the hosts …" />`}
    ${hosts.length > 0 && html`<${VirtualList} label=${`Hosts of the ${role}`} count=${hosts.length} height=${7.75}
      row=${(i) => html`<${HostCard} key=${hosts[i].id} role=${role} host=${hosts[i]} />`} />`}`;
}
