// What a plan says, the gravest first: what blocks, conflicts, losses, what stays, notes, times, and every resource.
import { html, useMemo, useState } from "../vendor/vendor.js";
import { Choices } from "./choices.js";
import { count, duration, number, short, size, value, words } from "./format.js";
import { HostChoices } from "./host_choices.js";
import { FIRST, hostVerb } from "./host_words.js";
import { Icon } from "./icons.js";
import { Chip, Figure, More, Search } from "./parts.js";

const Name = ({ one }) => html`<b class="name">${words(one.type)} ${short(one.name || one.id || "", 80)}</b>`;

function Section({ title, n, tone, open = true, children }) {
  if (!n) return null;
  return html`<details class=${`plan-section ${tone || ""}`} open=${open}><summary><h3>${title} <span class="count">
    ${number(n)}</span></h3></summary>${children}</details>`;
}

const Findings = ({ found }) =>
  html`<ul class="lines"><${More} items=${found} row=${(
    f,
    i,
  ) => html`<li key=${i}>${f.type && html`<${Name} one=${f} />: `}${f.reason}
  ${f.remedy && html`<div class="remedy"><b>What to do:</b> ${f.remedy}</div>`}</li>`} /></ul>`;

function Conflicts({ items, selection, anew }) {
  const [accepted, set] = useState(new Set());
  const flip = (name) => {
    const next = new Set(accepted);
    if (!next.delete(name)) next.add(name);
    set(next);
  };
  const apply = () => anew({ ...selection, accepted: [...new Set([...(selection.accepted || []), ...accepted])] });
  const any = useMemo(() => items.some((item) => item.acceptable?.length), [items]);
  return html`<p class="small soft">These, and what depends on them, will not be moved. The others will.</p>
    <ul class="lines"><${More} items=${items} row=${(
      item,
    ) => html`<li key=${`${item.type}${item.id}`}><${Name} one=${item} />: ${item.reason}
      ${(item.acceptable || []).map(
        (
          name,
        ) => html`<label class="check" key=${name}><input type="checkbox" checked=${accepted.has(name)}
          onChange=${() => flip(name)} />
        <span>Move it all the same, and accept to lose <code>${name}</code></span></label>`,
      )}</li>`} /></ul>
    ${any && html`<p><button disabled=${!accepted.size} data-testid="plan-again"
      onClick=${apply}>Plan again, accepting ${count(accepted.size, "loss", "losses")}</button></p>`}`;
}

function Losses({ items }) {
  const lost = items.flatMap((item) => item.losses.map((loss) => ({ item, loss })));
  return html`<ul class="lines"><${More} items=${lost} row=${({ item, loss }, i) => html`<li key=${i}><${Name}
    one=${item} />: <code>${loss.field}</code>${loss.value !== null && html` = <code>${short(value(loss.value), 60)}
    </code>`}: ${loss.reason}</li>`} /></ul>`;
}

function Estimate({ estimate }) {
  const servers = (estimate.servers || []).filter((server) => server.downtime);
  return html`<p>At most ${size(estimate.bytes)} in ${duration(estimate.seconds)}, one unit after the other; several at once take less.</p>
    ${
      servers.length > 0 &&
      html`<table class="data"><thead><tr><th scope="col">server</th><th scope="col" class="n">bytes</th><th scope="col"
        class="n">down for at most</th></tr></thead>
      <tbody>${servers.slice(0, 200).map((s) => html`<tr key=${s.id}><th scope="row">${s.name}</th><td class="n">
        ${size(s.bytes)}</td><td class="n">${duration(s.downtime)}</td></tr>`)}</tbody></table>
      ${servers.length > 200 && html`<p class="soft small">and ${number(servers.length - 200)} more</p>`}`
    }
    <ul class="lines soft small">${(estimate.basis || []).map((basis) => html`<li key=${basis}>Basis: ${basis}
      </li>`)}</ul>`;
}

export function Everything({ units }) {
  const [search, setSearch] = useState("");
  const found = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    if (!wanted) return units;
    const fits = (item) =>
      `${item.type} ${item.name} ${item.id} ${item.action} ${item.reason}`.toLowerCase().includes(wanted);
    return units
      .map((unit) => ({
        ...unit,
        items: unit.title.toLowerCase().includes(wanted) ? unit.items : unit.items.filter(fits),
      }))
      .filter((unit) => unit.items.length);
  }, [units, search]);
  return html`<div class="tools"><${Search} label="Search the plan" value=${search} onInput=${setSearch} /></div>
    <ul class="plan-units"><${More} items=${found} row=${(
      unit,
    ) => html`<li key=${unit.name}><p class="unit-title"><b>${unit.title}</b> <span class="soft small">
      ${size(unit.items.reduce((sum, item) => sum + (item.action === "create" ? item.bytes : 0), 0) || null)}</span></p>
      <ul class="plan-items">${unit.items.map(
        (
          item,
        ) => html`<li key=${`${item.type}${item.id}`}><${Chip} state=${item.action} /><span class="item-name">
          ${words(item.type)} ${short(item.name || item.id, 80)}</span>
        <span class="soft small">${item.reason}</span></li>`,
      )}</ul></li>`} /></ul>
    ${!found.length && html`<p class="soft">Nothing in the plan fits.</p>`}`;
}

// In numbers: of a host nothing is created.
function Figures({ s, about, left, downtime }) {
  const conflicts = html`<${Figure} name="conflicts" value=${number(s.conflict)} tone=${s.conflict ? "bad" : ""} />`;
  if (about)
    return html`<dl class="figures">${about === "evacuate" && html`<${Figure} name="to other hosts"
      value=${number(s.move)} />`}<${Figure} name="steps" value=${number(s.units)} />${conflicts}<${Figure}
      name="findings that block" value=${number(s.blocks)} tone=${s.blocks ? "bad" : ""} /></dl>`;
  return html`<dl class="figures">
      <${Figure} name="to create" value=${number(s.create)} /><${Figure} name="to reuse" value=${number(s.reuse)} />
      ${conflicts}
      <${Figure} name="not carried" value=${number(left)} tone=${left ? "warn" : ""} />
      <${Figure} name="to move" value=${size(s.bytes)} /><${Figure} name="time, at most"
        value=${duration(s.seconds) || "–"} />
      <${Figure} name="longest downtime" value=${duration(downtime) || "none"} note=" of a server" /></dl>`;
}

export function PlanBody({ plan, options, setOptions, anew }) {
  const { summary: s = {}, plan: p } = plan;
  const items = useMemo(() => (p?.units || []).flatMap((unit) => unit.items), [p]);
  const of = (level) => (p?.findings || []).filter((one) => one.level === level);
  const by = (action) => items.filter((item) => item.action === action);
  const [blocks, loses, notes] = [of("blocks"), of("loses"), of("note")];
  const conflicts = by("conflict");
  const left = [...(p?.not_carried || []), ...by("skip")];
  const lossy = items.filter((item) => item.losses?.length);
  const downtime = Math.max(0, ...(p?.estimate?.servers || []).map((one) => one.downtime || 0)) || s.downtime;
  const about = hostVerb(plan.selection);
  return html`<${Figures} s=${s} about=${about} left=${left.length} downtime=${downtime} />
    ${about === "evacuate" && html`<p class="note" data-testid="first-emptied"><${Icon} name="info" /> ${FIRST}</p>
      <${HostChoices} selection=${plan.selection} anew=${anew} />`}
    ${
      (plan.selection.accepted || []).length > 0 &&
      html`<p class="note"><${Icon} name="info" /> Accepted: ${plan.selection.accepted.map((name) => html`<code
        key=${name}>${name}</code> `)}
      <button class="link" onClick=${() => anew({ ...plan.selection, accepted: undefined })}>Plan again without</button></p>`
    }
    <${Section} title="Blocks" n=${blocks.length} tone="bad"><${Findings} found=${blocks} />
      ${s.ignorable && html`<label class="check strong"><input type="checkbox" data-testid="plan-ignore" checked=${options.ignore}
        onChange=${(e) => setOptions({ ...options, ignore: e.target.checked })} />
        <span>Go on although ${blocks.length === 1 ? "this blocks" : "these block"}: what they concern will most likely fail, and be undone</span>
          </label>`}<//>
    <${Section} title="Conflicts" n=${conflicts.length} tone="bad"><${Conflicts} items=${conflicts}
      selection=${plan.selection} anew=${anew} /><//>
    ${!about && html`<${Choices} plan=${plan} items=${items} options=${options} setOptions=${setOptions} anew=${anew} />`}
    <${Section} title="Lost: the destination cannot take it" n=${loses.length} tone="warn"><${Findings}
      found=${loses} /><//>
    <${Section} title="Fields that are not carried" n=${lossy.reduce((n, item) => n + item.losses.length, 0)}
      tone="warn" open=${lossy.length < 20}><${Losses} items=${lossy} /><//>
    <${Section} title="Not carried" n=${left.length} tone="warn"><ul class="lines"><${More} items=${left}
      row=${(item) => html`<li key=${`${item.type}${item.id}`}><${Name} one=${item} />: ${item.reason}</li>`} />
      </ul><//>
    <${Section} title="Good to know" n=${notes.length + (p?.notes || []).length}><${Findings} found=${notes} /><ul
      class="lines">${(p?.notes || []).map((note) => html`<li key=${note}>${note}</li>`)}</ul><//>
    <${Section} title="Time and downtime of servers" n=${(p?.estimate?.servers || []).length} open=${false}><${Estimate}
      estimate=${p?.estimate || {}} /><//>
    <${Section} title="Everything that will be done" n=${items.length} open=${about === "reassign"}><${Everything}
      units=${p?.units || []} /><//>`;
}
