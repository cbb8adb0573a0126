// A host that was opened: what both clouds, the inventory and its BMC say of it, and all that can be done with it.
import { html, useEffect, useState } from "../vendor/vendor.js";
import { Question } from "./actions.js";
import { announce } from "./announce.js";
import { fetchJson, make, may, readAll } from "./api.js";
import { Dialog } from "./dialog.js";
import { count, moment, words } from "./format.js";
import { canUndo, migrationOf, undo } from "./host_card.js";
import { evacuate, isEmpty, moveServers, reassign } from "./host_moves.js";
import { PowerChip, usePower } from "./host_power.js";
import { useEvery, useLoad } from "./hooks.js";
import { Icon } from "./icons.js";
import { isLive } from "./migrations_known.js";
import { Chip, Gauge, Trouble, Wait } from "./parts.js";
import { go, withQuery } from "./router.js";
import { put, set, useStore } from "./store.js";

const ROOMS = [
  ["VCPU", "vCPU", 1, ""],
  ["MEMORY_MB", "RAM", 1024, " GiB"],
  ["DISK_GB", "Disk", 1, " GiB"],
];

export function HostSheet({ route }) {
  const [role, ...rest] = (route.query.host || "").split(":");
  const name = rest.join(":");
  if (!name || !["source", "destination"].includes(role)) return null;
  const close = () => go(withQuery({ host: undefined }), { replace: true });
  return html`<${Sheet} key=${`${role}:${name}`} role=${role} name=${name} close=${close} />`;
}

function Sheet({ role, name, close }) {
  const epoch = useStore((s) => s.epoch + s.cloudEpoch.source + s.cloudEpoch.destination);
  const path = `hosts/${encodeURIComponent(name)}`;
  const { data, error, reload } = useLoad((signal) => fetchJson(path, signal), [name, epoch]);
  // As the list has it: what can be done goes by that.
  const row = useLoad(
    (signal) =>
      readAll(`clouds/${role}/hosts?search=${encodeURIComponent(name)}`, { signal }).then((all) =>
        all.find((one) => one.name === name),
      ),
    [role, name, epoch],
  );
  return html`<${Dialog} sheet testid="host-sheet" title=${`Host ${name}`} onClose=${close}>
    ${error && html`<${Trouble} problem=${error} title="The host cannot be read" onRetry=${reload} />`}
    ${!data && !error && html`<${Wait} text="Asking both clouds …" />`}
    ${role === "source" && row.data && html`<${Doings} host=${row.data} close=${close} />`}
    ${data && html`<${Machine} host=${data} />`}
    ${(data?.clouds || []).map((cloud) => html`<${InCloud} key=${cloud.role} cloud=${cloud} />`)}
  <//>`;
}

function Doings({ host, close }) {
  const migration = useStore((s) => migrationOf(host, s.migrations));
  const off = !may("operator") || isLive(migration);
  const empty = isEmpty(host);
  // The sheet makes room for what it leads to: closed by the browser, the focus is on the card again before that opens.
  const leave = (act) => (event) => {
    event.currentTarget.closest("dialog").close();
    close();
    act(host);
  };
  return html`${migration && html`<p>Its newest migration: <a href=${`#/migrations/${migration.id}`}>${migration.id}</a>
      <${Chip} state=${migration.state} text=${migration.state === "reverted" ? "rolled back" : undefined} /></p>`}
    <div class="actions" role="group" aria-label="What can be done">
      <button data-testid="sheet-evacuate" class=${empty ? "" : "primary"} disabled=${off || empty}
        onClick=${leave(evacuate)}>Evacuate …</button>
      <button data-testid="sheet-servers" disabled=${off || !host.servers}
        onClick=${leave(moveServers)}>Migrate its servers …</button>
      ${canUndo(host) && html`<button data-testid="sheet-undo" disabled=${off}
        onClick=${leave(undo)}><${Icon} name="back" />Undo evacuation …</button>`}
      <button data-testid="sheet-reassign" class=${empty ? "primary" : ""} disabled=${off || !empty}
        onClick=${leave(reassign)}>Reassign …<${Icon} name="right" /></button></div>
    <p class="soft small">${empty
      ? "It is empty and disabled: it can be handed over to the destination."
      : "Evacuate moves its servers to other hosts of the source, Migrate to the destination. When it is empty and disabled it can be reassigned."}</p>`;
}

function Machine({ host }) {
  const { inventory: noted } = host;
  const power = usePower(host.name, noted);
  if (host.inventory_error)
    return html`<${Trouble} problem=${{ detail: host.inventory_error }} title="The inventory cannot be used" />`;
  if (!noted)
    return html`<h3>Machine</h3><p class="soft">The inventory does not have it: it can be emptied, but not switched or
      reassigned.</p>`;
  const facts = [
    ["noted as", noted.source ? "a host of the source" : "not a host of the source: it is never switched off"],
    ["bmc", noted.bmc],
    ["provisioner", noted.provisioner || "none: it cannot be reassigned"],
    ["roles", noted.roles.join(", ")],
    ["macs", noted.macs.join(", ")],
    ["disks", noted.disks.layout],
    ["nics", noted.nics.layout],
  ];
  return html`<h3>Machine</h3>
    <p><${PowerChip} power=${power} noted=${noted} /> ${power.data && html`<span
      class="soft small">asked ${moment(power.data.asked)}</span>`}</p>
    ${power.data?.error && html`<p class="said warn-text">${power.data.error}</p>`}
    ${noted.bmc !== "none" && html`<${Switches} name=${host.name} noted=${noted} state=${power.data?.state} />`}
    <dl class="pairs">${facts.map(([key, it]) => html`<div key=${key}><dt>${key}</dt><dd>${it}</dd></div>`)}</dl>`;
}

//: What can be asked of a machine: [key, button, body, what it does].
const SWITCHES = [
  ["on", "Switch on", { action: "on" }, ["It boots as it did last."]],
  [
    "network",
    "Boot from the network",
    { action: "on", network: true },
    ["It boots from the network, this once: what does so may be installed anew."],
  ],
  [
    "soft",
    "Shut down",
    { action: "off", soft: true },
    ["Its operating system is told to shut down; that can take minutes."],
  ],
  ["off", "Cut the power", { action: "off" }, ["Its power is cut at once."]],
];
const GUARD =
  "Refused unless the inventory notes it as a host of the source, Nova has it disabled, and it has no servers in either cloud; both are asked right before.";

function Switches({ name, noted, state }) {
  const [asked, setAsked] = useState(null);
  const [job, setJob] = useState(null);
  const known = useStore((s) => (job ? s.jobs[job.id] : null));
  const now = known || job;
  const open = now && ["queued", "running"].includes(now.state);
  const look = () => fetchJson(`jobs/${job.id}`).then((fresh) => set(put("jobs", fresh)), () => {});
  useEvery(2000, look, Boolean(open));
  useEffect(() => {
    if (!now || open) return;
    set((s) => ({ powerEpoch: s.powerEpoch + 1 }));
    announce(now.state === "failed" ? `Not switched: ${now.error?.detail}` : `Host ${name} is ${now.result?.power}`);
  }, [now?.state]);
  if (!may("admin")) return html`<p class="soft small">Switching it takes the role admin.</p>`;
  const [, title, body, lines] = SWITCHES.find(([key]) => key === asked) || [];
  const fits = (wanted) => (wanted.action === "off" ? noted.source && state !== "off" : state !== "on");
  return html`<div class="actions" role="group" aria-label="Power">${SWITCHES.filter(
    ([, , wanted]) => fits(wanted) && (!wanted.network || (noted.source && state === "off")),
  ).map(([key, text]) => html`<button key=${key} data-testid=${`power-${key}`} disabled=${open}
      onClick=${() => setAsked(key)}>${text} …</button>`)}</div>
    ${open && html`<${Wait} text=${now.said ? `${words(now.said)} …` : "Asked for …"} />`}
    ${now?.state === "failed" && html`<${Trouble} problem=${now.error} title="It was not switched" />`}
    ${asked && html`<${Question} title=${`${title}: ${name}?`} verb=${title} danger=${body.action === "off"}
      close=${() => setAsked(null)}
      doIt=${async () => setJob(await make(`hosts/${encodeURIComponent(name)}/power`, body))}>
      <ul class="lines">${lines.map((line) => html`<li key=${line}>${line}</li>`)}
        ${body.action === "off" && html`<li>${GUARD}</li>`}</ul><//>`}`;
}

function InCloud({ cloud }) {
  const { role, known, services, servers, room, failures } = cloud;
  return html`<h3>In the ${role}</h3>
    ${failures.map((one) => html`<p key=${one.service + one.error} class="said warn-text"><b>${one.service}</b>:
      ${one.error}</p>`)}
    ${known === false && html`<p class="soft">Nova does not know it.</p>`}
    ${services.length > 0 && html`<table class="data"><thead><tr><th scope="col">service</th><th scope="col">state</th>
      <th scope="col">why disabled</th></tr></thead><tbody>${services.map(
        (one) => html`<tr key=${one.binary + one.host}><th scope="row">${one.binary}<br /><code class="small">
        ${one.host}</code></th><td><${Chip} state=${one.state} /> <${Chip} state=${one.status} /></td><td class="small">
        ${one.disabled_reason || "–"}</td></tr>`,
      )}</tbody></table>`}
    ${known && html`<p>${servers === null ? "How many servers is not told" : count(servers, "server")}</p>`}
    <div class="gauges">${ROOMS.filter(([kind]) => room[kind]).map(
      ([kind, title, part, unit]) => html`<${Gauge} key=${kind} name=${title}
        used=${Math.round(room[kind].used / part)} total=${Math.round(room[kind].capacity / part)} unit=${unit} />`,
    )}</div>`;
}
