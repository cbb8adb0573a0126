// How what was chosen is moved: names that differ between the clouds, the power of the servers, and what is meant to
// become of the source. With other names, or power, the plan is made anew.
import { html, useEffect, useId, useMemo, useState } from "../vendor/vendor.js";
import { fetchJson } from "./api.js";
import { count, short, words } from "./format.js";
import { useLoad } from "./hooks.js";
import { More, Trouble } from "./parts.js";

//: So many names are a list to choose from; of more one is typed, and what fits is shown.
const FEW = 200;
//: Kinds whose plural is more than one letter longer are not among them.
const one = (kind) => words(kind).replace(/s$/, "");
const textOf = (kind, name) => `${one(kind)} ${short(name, 60)}`;

// The names that can be mapped, each once: those without which something does not move first. An item says itself by
// which entry of the mappings its counterpart is found.
function namesIn(items, chosen) {
  const found = new Map();
  const add = (kind, name) => {
    const key = JSON.stringify([kind, name]);
    if (!found.has(key)) found.set(key, { key, kind, name, wanting: false, count: 0, reason: "" });
    return found.get(key);
  };
  for (const item of items) {
    if (!item.mapping?.length) continue;
    const entry = add(...item.mapping);
    entry.count += 1;
    const lost = item.mapping[0] === "availability_zones" && item.losses?.find((loss) => loss.value === entry.name);
    if (item.action !== "conflict" && !lost) continue;
    entry.wanting = true;
    entry.reason ||= item.action === "conflict" ? item.reason : lost.reason;
  }
  for (const [kind, names] of Object.entries(chosen))
    for (const [name, other] of Object.entries(names)) Object.assign(add(kind, name), { other });
  return [...found.values()];
}

function Names({ kind, label, value, unchosen, onChange, describedby }) {
  const { data, error, reload } = useLoad((signal) => fetchJson(`clouds/destination/names/${kind}`, signal), [kind]);
  const id = useId();
  if (error) return html`<${Trouble} problem=${error} title="The names cannot be read" onRetry=${reload} />`;
  const there = data?.items || [];
  const shared = { "aria-label": label, "aria-describedby": describedby, "data-testid": "map-name", "data-kind": kind };
  if (data && data.total > FEW)
    return html`<input ...${shared} list=${id} value=${value} placeholder=${unchosen} autocomplete="off"
      onChange=${(e) => onChange(e.target.value.trim())} /><datalist id=${id}>${there.map(
        (name) => html`<option key=${name} value=${name}></option>`,
      )}</datalist>`;
  return html`<select ...${shared} value=${value} disabled=${!data} onChange=${(e) => onChange(e.target.value)}>
    <option value="">${unchosen}</option>
    ${(value && !there.includes(value) ? [value, ...there] : there).map(
      (name) => html`<option key=${name} value=${name} selected=${name === value}>${name}</option>`,
    )}</select>`;
}

function Row({ entry, configured, value, change }) {
  const id = useId();
  const { kind, name } = entry;
  const usual = configured?.[kind]?.[name];
  return html`<li data-testid="map-row" data-kind=${kind} data-name=${name}>
    <div class="map-row"><span><b>${textOf(kind, name)}</b>
      ${entry.count > 1 && html` <span class="soft small">(${count(entry.count, "time")} in the plan)</span>`}</span>
    <${Names} kind=${kind} value=${value} describedby=${entry.reason ? id : undefined}
      label=${`In the destination, ${textOf(kind, name)} is`} onChange=${(other) => change(kind, name, other)}
      unchosen=${usual && usual !== entry.other ? `${usual}, as configured` : entry.wanting ? "choose …" : "by its own name"} />
    ${value && html`<button class="plain" data-testid="map-back" onClick=${() => change(kind, name, "")}>Take back<span
      class="unseen"> the name for ${textOf(kind, name)}</span></button>`}</div>
    ${entry.reason && html`<p id=${id} class="small soft">${entry.reason}</p>`}</li>`;
}

function Mapping({ entries, configured, wish, change }) {
  const [open, setOpen] = useState(false);
  const value = (entry) => wish[entry.kind]?.[entry.name] || "";
  const row = (entry) => html`<${Row} key=${entry.key} entry=${entry} configured=${configured} value=${value(entry)}
    change=${change} />`;
  const first = entries.filter((entry) => entry.wanting || entry.other);
  const others = entries.filter((entry) => !entry.wanting && !entry.other);
  return html`<fieldset data-testid="map-names"><legend>Names that differ between the clouds</legend>
    ${first.length > 0 && html`<ul class="lines plain-lines"><${More} items=${first} row=${row} /></ul>`}
    ${!first.length && html`<p class="small soft">Every name was found, or what has it will be made.</p>`}
    ${others.length > 0 && html`<details onToggle=${(e) => setOpen(e.target.open)}><summary data-testid="map-others">
      Map another name (${count(others.length, "name")} in this plan)</summary>
      ${open && html`<ul class="lines plain-lines"><${More} items=${others} row=${row} /></ul>`}</details>`}</fieldset>`;
}

const Radio = ({ name, testid, checked, onChange, children }) => html`<label class="check"><input type="radio"
  name=${name} data-testid=${testid} checked=${checked} onChange=${onChange} /><span>${children}</span></label>`;

function Power({ power, setPower }) {
  return html`<fieldset><legend>The servers, once they are moved</legend>
    <${Radio} name="power" testid="power-as-source" checked=${power !== "off"} onChange=${() => setPower("as_source")}>
      <b>As they are in the source</b>: what runs there runs in the destination.<//>
    <${Radio} name="power" testid="power-off" checked=${power === "off"} onChange=${() => setPower("off")}>
      <b>Left shut off</b>: each boots once, as Nova boots every new server, and is stopped then.<//></fieldset>`;
}

function Source({ after, setAfter }) {
  return html`<fieldset><legend>The source's servers, once it is done</legend>
    <p class="small soft">They stay, stopped, until somebody accepts the migration. Accepting asks again, and can still
      choose otherwise: nothing is deleted before.</p>
    <${Radio} name="after" testid="after-keep" checked=${after !== "delete"} onChange=${() => setAfter("keep")}>
      <b>Keep them</b>, when it is accepted, too.<//>
    <${Radio} name="after" testid="after-delete" checked=${after === "delete"} onChange=${() => setAfter("delete")}>
      <b>Delete them</b> when it is accepted, with their ports and volumes: that takes the role admin.<//></fieldset>`;
}

// Without what is as usual, so that equal choices are equal.
const plain = (mappings) =>
  Object.fromEntries(Object.entries(mappings).filter(([_kind, names]) => Object.keys(names).length));

export function Choices({ plan, items, options, setOptions, anew }) {
  const { mappings = {}, power = "as_source" } = plan.selection;
  const [wish, setWish] = useState({ mappings, power });
  useEffect(() => setWish({ mappings, power }), [plan.id]);
  const entries = useMemo(() => namesIn(items, mappings), [items, plan.id]);
  const servers = items.some((item) => item.type === "server" && item.action === "create");
  const change = (kind, name, other) => {
    const { [name]: _before, ...rest } = wish.mappings[kind] || {};
    setWish({ ...wish, mappings: plain({ ...wish.mappings, [kind]: other ? { ...rest, [name]: other } : rest }) });
  };
  const sorted = (of) => JSON.stringify(Object.entries(of).map(([kind, names]) => [kind, Object.entries(names).sort()]).sort());
  const changed = wish.power !== power || sorted(wish.mappings) !== sorted(mappings);
  // What is started is the plan that is shown: with other choices it is made anew first.
  useEffect(() => setOptions((o) => ({ ...o, pending: changed })), [changed]);
  const apply = () => {
    const { mappings: _names, power: _power, ...rest } = plan.selection;
    anew({
      ...rest,
      ...(Object.keys(wish.mappings).length ? { mappings: wish.mappings } : {}),
      ...(wish.power === "off" ? { power: "off" } : {}),
    });
  };
  if (!entries.length && !servers && power !== "off") return null;
  return html`<section class="choices" aria-label="Choices" data-testid="choices">
    ${entries.length > 0 && html`<${Mapping} entries=${entries} configured=${plan.plan?.mappings} wish=${wish.mappings}
      change=${change} />`}
    ${(servers || power === "off") && html`<${Power} power=${wish.power}
      setPower=${(value) => setWish({ ...wish, power: value })} />`}
    ${servers && html`<${Source} after=${options.after} setAfter=${(after) => setOptions({ ...options, after })} />`}
    ${changed && html`<p class="note"><span>These are other choices than the plan was made with.</span>
      <button class="primary" data-testid="choices-apply" onClick=${apply}>Plan again with them</button></p>`}</section>`;
}
