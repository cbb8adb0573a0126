// Everything, or single servers with their ports and volumes: of what is rolled back or accepted.
import { html, useState } from "../vendor/vendor.js";
import { Chip, More, Search } from "./parts.js";

// `servers`: null for everything, else the ids that were chosen.
export function Scope({ verb, units, servers, onChange }) {
  const [search, setSearch] = useState("");
  const all = units.filter((unit) => unit.kind === "server");
  if (all.length < 2) return null;
  const idOf = (unit) => unit.name.slice(unit.name.indexOf(":") + 1);
  const flip = (id) => onChange(servers.includes(id) ? servers.filter((one) => one !== id) : [...servers, id]);
  const fits = all.filter((unit) => unit.title.toLowerCase().includes(search.toLowerCase()));
  return html`<fieldset class="scope"><legend>${verb} what</legend>
    <label class="check"><input type="radio" name="scope" checked=${!servers} onChange=${() => onChange(null)} />
      <span>Everything of this migration</span></label>
    <label class="check"><input type="radio" name="scope" checked=${Boolean(servers)} onChange=${() => onChange([])} />
      <span>Single servers, with their ports and volumes${servers ? `: ${servers.length} chosen` : ""}</span></label>
    ${
      servers &&
      html`<div class="scope-servers">${all.length > 10 && html`<${Search} label="Search servers" value=${search}
        onInput=${setSearch} />`}
      <ul class="lines"><${More} items=${fits} row=${(unit) => html`<li key=${unit.name}><label class="check"><input
        type="checkbox" checked=${servers.includes(idOf(unit))} onChange=${() => flip(idOf(unit))} /><span>
        ${unit.title} <${Chip} state=${unit.state} /></span></label></li>`} /></ul></div>`
    }
  </fieldset>`;
}
