// The page of one migration: how far it is, its units as a graph and as a table, its log, and what can be done.
import { html, useEffect, useState } from "../vendor/vendor.js";
import { Actions } from "./actions.js";
import { fetchJson } from "./api.js";
import { duration, moment, number, progress, size } from "./format.js";
import { Graph } from "./graph.js";
import { useEvery, useHeading, useLoad, useTitle, useWide } from "./hooks.js";
import { STATES, hostVerb } from "./host_words.js";
import { Icon } from "./icons.js";
import { Jobs } from "./job_view.js";
import { Log } from "./log.js";
import { isLive, nameOf, useNames } from "./migrations_known.js";
import { Bar, Chip, Empty, Figure, Switch, Trouble, Wait } from "./parts.js";
import { go, withQuery } from "./router.js";
import { put, set, useStore } from "./store.js";
import { PlanOf } from "./plan_of.js";
import { UnitPanel } from "./unit_panel.js";
import { useUnits } from "./units.js";
import { UnitTable } from "./unit_table.js";

const WHAT = {
  queued: "It waits for a process to run it.",
  planning: "The plan is being made.",
  running: "",
  done: "What the plan says was moved. The source still has its servers, stopped, until you accept.",
  failed: "Not everything was moved. What failed was undone, and runs again in the source; resume tries it again.",
  stopped: "It was stopped before its end; resume goes on from where it was.",
  cancelled: "It was cancelled; what was done stays. Resume goes on, roll back undoes the rest.",
  reverting: "What was made in the destination is being removed, and the source's servers run again.",
  reverted: "What was made in the destination was removed; the source's servers run again as they ran.",
};

function Head({ m, heading }) {
  const accepted = m.units > 0 && m.accepted >= m.units;
  const text =
    m.wish === "cancel" && isLive(m)
      ? "It was asked to stop, and ends at the next safe point."
      : accepted
        ? "It was accepted: it cannot be rolled back any more."
        : (STATES[hostVerb(m.selection)] || WHAT)[m.state] || WHAT[m.state];
  return html`<header class="migration-head">
    <a class="back" href="#/migrations"><${Icon} name="left" />All migrations</a>
    <div class="migration-title"><h1 ref=${heading} tabindex="-1">${nameOf(m)}</h1><${Chip} state=${m.state}
      text=${m.state === "reverted" ? "rolled back" : undefined} />
      ${accepted && html`<span class="chip good"><${Icon} name="shield" /><span>accepted</span></span>`}</div>
    <p class="soft small">Migration ${m.id} · ${m.source} <${Icon} name="right" /><span
      class="unseen">to</span> ${m.destination} · begun ${moment(m.created)}
      ${m.started_by ? ` by ${m.started_by}` : ""} · changed ${moment(m.updated)}</p>
    ${text && html`<p class="state-words">${text}</p>`}
    ${m.state === "running" && m.running === false && html`<p class="note warn" role="status"><${Icon}
      name="warn" /> No process runs it any more: it was interrupted. Resume goes on from where it was.</p>`}
    ${m.error && html`<${Trouble} problem=${{ detail: m.error }} title="The service said" />`}
  </header>`;
}

function Figures({ m }) {
  const left = m.units - m.units_done - m.units_failed - (m.units_running || 0);
  const live = isLive(m);
  // Bytes that a host's servers take along are not ours.
  const about = hostVerb(m.selection);
  return html`<div class="how-far"><${Bar} value=${progress(m)} state=${m.state} label="How far the migration is" />
    <dl class="figures">
      <${Figure} name="units done" value=${`${number(m.units_done)} of ${number(m.units)}`} />
      ${live && html`<${Figure} name="running" value=${number(m.units_running ?? 0)}
        note=${left > 0 ? ` · ${number(left)} wait` : ""} />`}
      <${Figure} name="failed" value=${number(m.units_failed)} tone=${m.units_failed ? "bad" : ""} />
      ${!about && html`<${Figure} name="moved" value=${size(m.bytes_done)}
        note=${m.bytes_total ? ` of ${size(m.bytes_total)}` : ""} />`}
      ${live && !about && html`<${Figure} name="rate" value=${m.rate ? `${size(m.rate)}/s` : "–"} /><${Figure} name="remaining"
        value=${m.seconds_left === null || m.seconds_left === undefined ? "–" : duration(m.seconds_left)} />`}
    </dl></div>`;
}

export function MigrationPage({ id, route }) {
  const known = useStore((s) => s.migrations[id]);
  const epoch = useStore((s) => s.epoch);
  useNames();
  const { data, error, reload } = useLoad((signal) => fetchJson(`migrations/${id}`, signal), [id, epoch]);
  // What was known before may be old: until it is read, nobody is told that something cannot be done now.
  const [fresh, setFresh] = useState(false);
  useEffect(() => {
    if (!data) return;
    set(put("migrations", data));
    setFresh(true);
  }, [data]);
  const m = known || data;
  useTitle(m ? `${m.state === "running" ? `${progress(m)} % ` : ""}Migration ${id}: ${nameOf(m)}` : `Migration ${id}`);
  // Events tell it all; this is for the one that gets lost.
  useEvery(10000, reload, isLive(m));
  if (!m && error) {
    return html`<main class="page" id="main"><h1 tabindex="-1">Migration ${id}</h1>${
      error.status === 404
        ? html`<${Empty} title="There is no such migration"><p>${error.detail}</p><p><a
          href="#/migrations">All migrations</a></p><//>`
        : html`<${Trouble} problem=${error} title="The migration cannot be read" onRetry=${reload} />`
    }</main>`;
  }
  if (!m?.can) return html`<main class="page" id="main"><h1 tabindex="-1">Migration ${id}</h1><${Wait} /></main>`;
  return html`<${Page} m=${m} fresh=${fresh} route=${route} error=${error} />`;
}

function Page({ m, fresh, route, error }) {
  const wide = useWide();
  const heading = useHeading(m.id);
  const { units, problem, retry } = useUnits(m.id, m.state);
  const [tab, setTab] = useState("units");
  const unit = route.query.unit;
  const choose = (name) => go(withQuery({ unit: name === unit ? undefined : name }), { replace: true });
  const graph = html`<${Graph} units=${units || []} chosen=${unit} onChoose=${choose} />`;
  const shown = wide && tab === "graph" ? "units" : tab;
  const views = [...(wide ? [] : [["graph", "Graph"]]), ["units", "Units"], ["log", "Log"], ["plan", "Plan"]];
  const panes = {
    graph: () => graph,
    units: () => html`<${UnitTable} units=${units || []} chosen=${unit} onChoose=${choose} />`,
    log: () => html`<${Log} id=${m.id} onChoose=${choose} units=${units} />`,
    plan: () => html`<${PlanOf} id=${m.id} />`,
  };
  return html`<main class="page migration" id="main" data-testid="migration-page" data-state=${m.state}
    data-migration-id=${m.id}>
    <${Head} m=${m} heading=${heading} />
    ${error && html`<${Trouble} problem=${error} title="This may be old" />`}
    <${Figures} m=${m} />
    <${Actions} m=${m} fresh=${fresh} route=${route} units=${units || []} />
    <${Jobs} id=${m.id} />
    ${problem && html`<${Trouble} problem=${problem} title="The units cannot be read" onRetry=${retry} />`}
    ${
      !units && !problem
        ? html`<${Wait} text="Reading the units …" />`
        : units && !units.length
          ? html`<${Empty} title=${isLive(m) ? "No units yet" : "No units"}><p>
            ${isLive(m) ? "They appear once the plan is made." : "It ended before there was a plan."}</p><//>`
          : html`
      <div class="panes">${wide && html`<section class="pane" aria-label="Graph of the units">${graph}</section>`}
        <section class="pane" aria-label="Units, log and plan"><${Switch} label="View" options=${views} value=${shown}
          onChange=${setTab} />${panes[shown]()}</section></div>`
    }
    ${unit && html`<${UnitPanel} key=${unit} id=${m.id} name=${unit}
      live=${(units || []).find((one) => one.name === unit)} units=${units || []} onChoose=${choose}
      onClose=${() => choose(unit)} />`}
  </main>`;
}
