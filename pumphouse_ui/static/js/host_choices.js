// How a host is emptied: where its servers go, and how. With other choices the plan is made anew.
import { html, useEffect, useMemo, useState } from "../vendor/vendor.js";
import { readAll } from "./api.js";
import { count } from "./format.js";
import { useLoad } from "./hooks.js";
import { More, Trouble } from "./parts.js";

const same = (a, b) => a.length === b.length && a.every((one) => b.includes(one));

export function HostChoices({ selection, anew }) {
  const { evacuate: name, to = [], cold = false, fenced = false } = selection;
  const [wish, setWish] = useState({ to, cold, fenced });
  const { data, error, reload } = useLoad((signal) => readAll("clouds/source/hosts", { signal }), [name]);
  const others = useMemo(
    () => (data || []).filter((host) => host.host !== name && host.state === "up" && host.status === "enabled"),
    [data, name],
  );
  const down = (data || []).some((host) => host.host === name && host.state === "down");
  useEffect(() => setWish({ to, cold, fenced }), [JSON.stringify(selection)]);
  const changed = !same(wish.to, to) || wish.cold !== cold || wish.fenced !== fenced;
  const flip = (host) => () =>
    setWish({ ...wish, to: wish.to.includes(host) ? wish.to.filter((one) => one !== host) : [...wish.to, host] });
  const apply = () =>
    anew({
      evacuate: name,
      ...(wish.to.length ? { to: wish.to } : {}),
      ...(wish.cold ? { cold: true } : {}),
      ...(wish.fenced ? { fenced: true } : {}),
    });
  return html`<fieldset data-testid="host-choices"><legend>How it is emptied</legend>
    <details open=${to.length > 0}><summary>To ${wish.to.length ? count(wish.to.length, "host") : "any host: Nova chooses"}
      </summary>
      ${error && html`<${Trouble} problem=${error} title="The other hosts cannot be read" onRetry=${reload} />`}
      ${data && !others.length && html`<p class="soft">There is no other host that is up and enabled.</p>`}
      <ul class="lines plain-lines"><${More} first=${12} items=${others} row=${(host) => html`<li key=${host.id}><label
        class="check"><input type="checkbox" data-testid="to-host" data-name=${host.host}
        checked=${wish.to.includes(host.host)} onChange=${flip(host.host)} /><span>${host.name} <span
        class="soft small">${count(host.servers ?? 0, "server")}</span></span></label></li>`} /></ul></details>
    <label class="check"><input type="checkbox" data-testid="evacuate-cold" checked=${wish.cold}
      onChange=${(e) => setWish({ ...wish, cold: e.target.checked })} />
      <span>Switch running servers off while they move: for where they cannot be live-migrated</span></label>
    ${(down || fenced) && html`<label class="check"><input type="checkbox" data-testid="evacuate-fenced"
      checked=${wish.fenced} onChange=${(e) => setWish({ ...wish, fenced: e.target.checked })} />
      <span>The machine is surely off and stays so: rebuild its servers elsewhere from their disks. <b>A server that
        ran twice would destroy its disks.</b></span></label>`}
    ${changed && html`<p><button data-testid="plan-anew" onClick=${apply}>Plan again so</button></p>`}</fieldset>`;
}
