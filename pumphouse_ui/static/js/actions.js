// What can be done with a migration. Each is asked about first, and says what it will do.
import { html, useEffect, useState } from "../vendor/vendor.js";
import { AcceptDialog } from "./accept.js";
import { announce } from "./announce.js";
import { make, may } from "./api.js";
import { Dialog } from "./dialog.js";
import { LINES, atOnce, hostVerb } from "./host_words.js";
import { Icon } from "./icons.js";
import { readMigration } from "./migrations_known.js";
import { Trouble } from "./parts.js";
import { go, withQuery } from "./router.js";
import { Scope } from "./scope.js";
import { put, set, useStore } from "./store.js";

const ACTIONS = [
  ["cancel", "Cancel", "stop"],
  ["resume", "Resume", "play"],
  ["rollback", "Roll back", "back"],
  ["accept", "Accept", "shield"],
  ["verify", "Verify", "check"],
];

// What it will do, where it is about a host; else what is given.
function Lines({ m, action, children }) {
  const own = LINES[hostVerb(m.selection)]?.[action];
  return html`<ul class="lines">${own ? own.map((line) => html`<li key=${line}>${line}</li>`) : children}</ul>`;
}

export async function act(m, action, body) {
  const job = await make(`migrations/${m.id}/${action}`, body);
  set(put("jobs", { migration_id: m.id, ...job }));
  readMigration(m.id);
  announce(`Asked for: ${action}`);
}

// What all questions have in common: a button that does it, and what was said against it.
export function Question({ title, verb, danger, disabled, doIt, close, children }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      await doIt();
      close();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${close} testid="action-dialog" foot=${html`<div class="foot-row"><span
    class="grow"></span><button onClick=${close} data-testid="dialog-cancel">Leave it</button>
      <button class=${danger ? "danger" : "primary"} data-testid="dialog-confirm" disabled=${disabled || busy}
        onClick=${run}>${busy ? "Asking …" : verb}</button></div>`}>
    ${children}<${Trouble} problem=${error} title="It was refused" /><//>`;
}

function Cancel({ m, close }) {
  return html`<${Question} title=${`Cancel migration ${m.id}?`} verb="Cancel the migration" danger close=${close}
    doIt=${() => act(m, "cancel", {})}>
    <${Lines} m=${m} action="cancel"><li>It stops at the next safe point.</li>
      <li>What is half made is undone; its servers run again in the source.</li>
        <li>What is done stays in the destination. Resume goes on later, roll back undoes the rest.</li><//><//>`;
}

function Resume({ m, close }) {
  const [concurrency, setConcurrency] = useState(atOnce(m.selection));
  return html`<${Question} title=${`Resume migration ${m.id}?`} verb="Resume" close=${close}
    doIt=${() => act(m, "resume", { concurrency })}>
    <${Lines} m=${m} action="resume"><li>What was interrupted goes on, what had not begun is begun.</li>
      <li>What failed is tried again.</li>
        <li>Servers are stopped in the source while they are moved, as before.</li><//>
    <label class="number">Units at once <input type="number" min="1" max="64" value=${concurrency}
      onChange=${(e) => setConcurrency(Math.min(64, Math.max(1, Number(e.target.value) || 1)))} /></label><//>`;
}

function Rollback({ m, close, units }) {
  const [servers, setServers] = useState(null);
  const about = hostVerb(m.selection);
  const title = about === "evacuate" ? `Undo the evacuation of ${m.selection.evacuate}?` : `Roll back migration ${m.id}?`;
  return html`<${Question} title=${title} verb="Roll back" danger=${!about} close=${close}
    disabled=${servers && !servers.length} doIt=${() => act(m, "rollback", servers ? { servers } : {})}>
    <${Lines} m=${m} action="rollback"><li>What it made in the destination is removed.</li>
      <li>The source's servers run again as they ran.</li><li>
        <b>What was written in the destination since the move is lost.</b></li>
      <li>What was there before, what another migration uses, and what was accepted, stays.</li><//>
    ${!about && html`<${Scope} verb="Roll back" units=${units} servers=${servers} onChange=${setServers} />`}<//>`;
}

function Verify({ m, close }) {
  const [bytes, setBytes] = useState(false);
  return html`<${Question} title=${`Verify migration ${m.id}?`} verb="Verify" close=${close}
    doIt=${() => act(m, "verify", { bytes })}>
    <p>Both sides are read again and compared, field by field. Nothing is changed; the report is made anew.</p>
    <label class="check"><input type="checkbox" checked=${bytes} onChange=${(e) => setBytes(e.target.checked)} />
      <span>The bytes of images and volumes too, by their checksums: that reads them all, and takes long</span>
        </label><//>`;
}

const DIALOGS = { cancel: Cancel, resume: Resume, rollback: Rollback, accept: AcceptDialog, verify: Verify };

export function Actions({ m, fresh, route, units }) {
  // A job that was asked for keeps the others back until it has ended.
  const busy = useStore((s) =>
    Object.values(s.jobs).find(
      (job) =>
        String(job.migration_id) === String(m.id) &&
        ["queued", "running"].includes(job.state) &&
        !["plan", "migrate", "resume"].includes(job.kind),
    ),
  );
  const open = route.query.do;
  const close = () => go(withQuery({ do: undefined }), { replace: true });
  const allowed = may("operator");
  const about = hostVerb(m.selection);
  // Of a host nothing is accepted: nothing of it waits in the source.
  const offered = ACTIONS.filter(([key]) => m.can[key] && !(about && key === "accept"));
  const first = m.state === "done" && !about ? "accept" : ["failed", "stopped", "cancelled"].includes(m.state) ? "resume" : "";
  const Shown = open && allowed && m.can[open] ? DIALOGS[open] : null;
  useEffect(() => {
    if (open && !Shown && fresh) {
      announce(`Migration ${m.id} is ${m.state}: that cannot be done now`);
      close();
    }
  }, [open, Boolean(Shown), fresh]);
  return html`<div class="actions" role="group" aria-label="What can be done">
    ${offered.map(
      ([
        key,
        text,
        icon,
      ]) => html`<button key=${key} data-testid=${`action-${key}`} data-focus=${`action-${key}`}
        class=${key === first ? "primary" : ""} disabled=${!allowed || Boolean(busy)}
      title=${allowed ? undefined : "That takes the role operator"}
      onClick=${() => go(withQuery({ do: key }), { replace: true })}><${Icon} name=${icon} />${text} …</button>`,
    )}
    ${!["queued", "planning"].includes(m.state) && html`<a class="button" data-testid="report-link"
      href=${`/v1/migrations/${m.id}/report?format=html`} target="_blank" rel="noopener"><${Icon}
      name="open" />Report<span class="unseen"> (opens in a new tab)</span></a>`}
    ${Shown && html`<${Shown} m=${m} units=${units} close=${close} />`}</div>`;
}
