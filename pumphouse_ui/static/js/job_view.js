// What was asked for and takes a while: cancel, roll back, accept, verify. How far it is, and what it could not do.
import { html, useEffect } from "../vendor/vendor.js";
import { announce } from "./announce.js";
import { fetchJson } from "./api.js";
import { count, moment } from "./format.js";
import { useEvery, useLoad } from "./hooks.js";
import { Icon } from "./icons.js";
import { readMigration } from "./migrations_known.js";
import { More, Trouble, Wait } from "./parts.js";
import { put, set, useStore } from "./store.js";

const WORDS = {
  rollback: ["Rolling back", "Rolled back"],
  accept: ["Accepting", "Accepted"],
  cancel: ["Cancelling", "Cancelled"],
  verify: ["Comparing both sides", "Compared both sides"],
  leftovers: ["Removing leftovers", "Removed leftovers"],
  resume: ["Resuming", "Resumed"],
};

export function JobView({ job }) {
  const [now, then] = WORDS[job.kind] || [job.kind, job.kind];
  const open = ["queued", "running"].includes(job.state);
  const stays = job.result?.stays || [];
  // Where no event arrives, it is asked for.
  useEvery(
    2500,
    () =>
      fetchJson(`jobs/${job.id}`).then(
        (fresh) => set(put("jobs", fresh)),
        () => {},
      ),
    open,
  );
  useEffect(() => {
    if (open) return;
    announce(
      job.state === "failed"
        ? `${now} failed: ${job.error?.detail || ""}`
        : `${then}${stays.length ? `, but ${stays.length} could not be done` : ""}`,
    );
    if (job.migration_id) readMigration(job.migration_id);
  }, [job.state]);
  if (open)
    return html`<div class="job" data-testid="job" data-kind=${job.kind} data-state=${job.state}><${Wait}
      text=${`${now}${job.said ? `: ${job.said}` : " …"}`} /></div>`;
  if (job.state === "failed")
    return html`<${Trouble} problem=${job.error || { detail: "It failed without a word." }}
      title=${`${now} failed`} />`;
  if (stays.length)
    return html`<div class="trouble warn" data-testid="job-stays"><${Icon} name="warn" /><div><p class="trouble-title">
      ${then}; this could not be done:</p><ul class="lines">${stays.map((line) => html`<li key=${line} class="said">
        ${line}</li>`)}</ul></div></div>`;
  if (job.kind === "verify") return html`<${Verified} job=${job} />`;
  return html`<p class="note good" data-testid="job" data-kind=${job.kind} data-state=${job.state}><${Icon}
    name="check" /> ${then}${job.finished ? ` at ${moment(job.finished)}` : ""}.</p>`;
}

// What the comparison found, not just that there was one.
function Verified({ job }) {
  const { data, error, reload } = useLoad(
    (signal) => fetchJson(`migrations/${job.migration_id}/differences`, signal),
    [job.id],
  );
  const found = data?.items || [];
  useEffect(() => data && announce(found.length ? `${found.length} differences` : "No differences"), [data]);
  if (error)
    return html`<${Trouble} problem=${error} title="Compared, but what was found cannot be read" onRetry=${reload} />`;
  if (!data) return html`<${Wait} text="Reading what was found …" />`;
  const when = job.finished ? ` at ${moment(job.finished)}` : "";
  if (!found.length)
    return html`<p class="note good" data-testid="job" data-kind="verify" data-state="done"><${Icon}
      name="check" /> Compared both sides${when}: no differences. The report has it all.</p>`;
  return html`<div class="trouble warn" data-testid="job" data-kind="verify" data-state="done"><${Icon} name="warn" />
    <div><p class="trouble-title">Compared both sides${when}: ${count(found.length, "difference")}</p>
    <ul class="lines"><${More} first=${8} items=${found} row=${(one) => html`<li key=${one.name}><code>${one.name}
      </code>: ${one.reason}</li>`} /></ul></div></div>`;
}

export function Jobs({ id }) {
  const jobs = useStore((s) => s.jobs);
  const epoch = useStore((s) => s.epoch);
  // One that was asked for before this page was opened.
  const { data } = useLoad((signal) => fetchJson(`jobs?migration=${id}&limit=20`, signal), [id, epoch]);
  const mine = new Map(
    [...(data?.items || []), ...Object.values(jobs)]
      .filter((job) => String(job.migration_id) === String(id) && WORDS[job.kind] && job.kind !== "resume")
      .map((job) => [job.id, job]),
  );
  // The newest tells it.
  const last = [...mine.values()].sort((a, b) => b.id - a.id)[0];
  return last ? html`<${JobView} key=${last.id} job=${last} />` : null;
}
