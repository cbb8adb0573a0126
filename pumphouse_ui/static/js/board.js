// The first view: both clouds side by side, and between them what is on its way.
import { html, useEffect } from "../vendor/vendor.js";
import { Column } from "./column.js";
import { useTitle, useWide } from "./hooks.js";
import { HostSheet } from "./host_sheet.js";
import { Lane } from "./lane.js";
import { Switch } from "./parts.js";
import { set, useStore } from "./store.js";
import { named } from "./names.js";

const NAMES = { source: "Source", destination: "Destination" };

// #/tenants/ID is one of the source; #/tenants/destination/ID says it.
function opened(path) {
  if (path[0] !== "tenants" || !path[1]) return {};
  return path[2] ? { [path[1]]: path[2] } : { source: path[1] };
}

export function Board({ route }) {
  const wide = useWide();
  const side = useStore((s) => s.side);
  const open = opened(route.path);
  const [role, id] = Object.entries(open)[0] || [];
  useTitle(id ? `Tenant ${named("tenant", id)}` : "Clouds");
  useEffect(() => {
    if (role) set({ side: role });
  }, [role, id]);
  return html`<main class="board" id="main">
    <h1 class="unseen" tabindex="-1">Clouds</h1>
    <${Lane} />
    ${!wide && html`<${Switch} label="Which cloud" value=${side} onChange=${(key) => set({ side: key })}
      options=${Object.entries(NAMES)} />`}
    <div class="columns">
      ${Object.keys(NAMES).map((one) => html`<${Column} key=${one} role=${one} title=${NAMES[one]} open=${open[one]}
        hidden=${!wide && side !== one} />`)}
    </div>
    <${HostSheet} route=${route} />
    ${
      !wide &&
      html`<div class="drop-bar" data-drop="destination">Drop here to move it to the destination</div>
      <div class="drop-bar" data-drop="source">Drop here to send it back to the source</div>`
    }
  </main>`;
}
