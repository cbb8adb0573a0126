// Accepting: the point of no return. What stands in the way is listed, and accepted by name; the id is typed.
import { html, useState } from "../vendor/vendor.js";
import { Question, act } from "./actions.js";
import { fetchJson, may } from "./api.js";
import { count } from "./format.js";
import { useLoad } from "./hooks.js";
import { Icon } from "./icons.js";
import { More, Trouble, Wait } from "./parts.js";
import { Scope } from "./scope.js";

// Of single servers only what concerns them stands in the way; the service knows for certain.
const concerns = (one, names, ids) =>
  !ids || ids.some((id) => one.name.includes(id)) || names.some((name) => one.name.startsWith(`server:${name}`));

function Differences({ found, despite, setDespite }) {
  if (!found.length)
    return html`<p class="note good"><${Icon}
      name="check" /> Nothing stands in the way: by the newest comparison everything has arrived.</p>`;
  const flip = (name) =>
    setDespite(despite.includes(name) ? despite.filter((one) => one !== name) : [...despite, name]);
  const all = found.every((one) => despite.includes(one.name));
  return html`<fieldset class="differences"><legend>${count(found.length, "difference")} in the way</legend>
    <p class="small soft">Mend them and verify again, or accept each by its name.</p>
    ${found.length > 3 && html`<label class="check"><input type="checkbox" checked=${all}
      onChange=${() => setDespite(all ? [] : found.map((one) => one.name))} />
      <span>All ${found.length}; I have read them</span></label>`}
    <ul class="lines"><${More} items=${found} row=${(
      one,
    ) => html`<li key=${one.name}><label class="check"><input type="checkbox" data-testid="accept-difference"
      data-name=${one.name} checked=${despite.includes(one.name)} onChange=${() => flip(one.name)} />
      <span><code>${one.name}</code>: ${one.reason}</span></label></li>`} /></ul></fieldset>`;
}

export function AcceptDialog({ m, units, close }) {
  const { data, error, reload } = useLoad((signal) => fetchJson(`migrations/${m.id}/differences`, signal), [m.id]);
  const [servers, setServers] = useState(null);
  // What was meant when it began is only where this begins.
  const meant = m.source_after === "delete";
  const [remove, setRemove] = useState(meant && may("admin"));
  const [despite, setDespite] = useState([]);
  const [typed, setTyped] = useState("");
  const titles = units
    .filter((unit) => servers?.some((id) => unit.name === `server:${id}`))
    .map((unit) => unit.title.replace(/^server /, ""));
  const found = (data?.items || []).filter((one) => concerns(one, titles, servers));
  const open = found.filter((one) => !despite.includes(one.name)).length;
  const ready = data && !open && typed.trim() === String(m.id) && !(servers && !servers.length);
  const body = {
    delete_source: remove,
    despite: despite.filter((name) => found.some((one) => one.name === name)),
    confirm: m.id,
    ...(servers ? { servers } : {}),
  };
  return html`<${Question} title=${`Accept migration ${m.id}?`}
    verb=${remove ? "Accept, and delete in the source" : "Accept"} danger=${remove} disabled=${!ready} close=${close}
    doIt=${() => act(m, "accept", body)}>
    <p><b>This is the point of no return:</b> what is accepted cannot be rolled back any more.</p>
    <fieldset><legend>The source's servers</legend>
      ${meant && html`<p class="small soft" data-testid="accept-meant">When it was begun it was meant to delete them.</p>`}
      <label class="check"><input type="radio" name="source" data-testid="accept-keep" checked=${!remove}
        onChange=${() => setRemove(false)} /><span>
        <b>Keep them</b>, stopped, as they are now. They can be deleted later by accepting again.</span></label>
      <label class="check"><input type="radio" name="source" data-testid="accept-delete" disabled=${!may("admin")}
        checked=${remove} onChange=${() => setRemove(true)} /><span>
        <b>Delete them</b>, with their ports and volumes, each only while its counterpart is in the destination. People, networks and images of the source always stay.
        ${!may("admin") && html` <i>That takes the role admin.</i>`}</span></label></fieldset>
    <${Scope} verb="Accept" units=${units} servers=${servers} onChange=${setServers} />
    ${error && html`<${Trouble} problem=${error} title="The differences cannot be read" onRetry=${reload} />`}
    ${!data && !error && html`<${Wait} text="Reading what stands in the way …" />`}
    ${data && html`<${Differences} found=${found} despite=${despite} setDespite=${setDespite} />`}
    <label class="field">Type <b>${m.id}</b> to confirm <input type="text" inputmode="numeric" autocomplete="off"
      data-testid="confirm-id" value=${typed} onInput=${(e) => setTyped(e.target.value)} /></label>
    ${open > 0 && html`<p class="small warn-text">${count(open, "difference")} not accepted yet.</p>`}
  <//>`;
}
