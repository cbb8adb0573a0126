// What killed processes could not remove, in both clouds.
import { html, useState } from "../vendor/vendor.js";
import { Question } from "./actions.js";
import { fetchJson, make, may } from "./api.js";
import { count, words } from "./format.js";
import { useHeading, useLoad, useTitle } from "./hooks.js";
import { JobView } from "./job_view.js";
import { Empty, Id, Trouble, Wait } from "./parts.js";
import { put, set, useStore } from "./store.js";

export function Leftovers() {
  useTitle("Leftovers");
  const heading = useHeading("leftovers");
  const job = useStore(
    (s) =>
      Object.values(s.jobs)
        .filter((one) => one.kind === "leftovers")
        .sort((a, b) => b.id - a.id)[0],
  );
  const { data, error, reload, loading } = useLoad((signal) => fetchJson("leftovers", signal), [job?.state]);
  const [asked, ask] = useState(false);
  const [force, setForce] = useState(false);
  const items = data?.items || [];
  const remove = async () => set(put("jobs", await make("leftovers/removal", { force })));
  return html`<main class="page" id="main"><div class="page-head"><h1 ref=${heading} tabindex="-1">Leftovers</h1><button
    onClick=${reload} disabled=${loading}>Look again</button>
      ${items.length > 0 && html`<button class="danger" disabled=${!may("admin")}
        title=${may("admin") ? undefined : "That takes the role admin"}
        onClick=${() => ask(true)}>Remove them …</button>`}</div>
    <p class="soft">Snapshots, clones, images and roles of Pumphouse's own, that a killed process could not remove.</p>
    ${job && html`<${JobView} key=${job.id} job=${job} />`}
    ${error && html`<${Trouble} problem=${error} title="The leftovers cannot be looked for" onRetry=${reload} />`}
    ${!data && !error && html`<${Wait} text="Looking in both clouds …" />`}
    ${data && !items.length && html`<${Empty} title="Nothing is left over"><p>Both clouds are tidy.</p><//>`}
    ${
      items.length > 0 &&
      html`<p class="soft small">${count(items.length, "leftover")}</p><table class="data stack"><thead><tr><th
        scope="col">what</th><th scope="col">where</th><th scope="col">id</th><th scope="col">made by</th><th
        scope="col">kept because</th></tr></thead>
      <tbody>${items.map(
        (
          one,
          i,
        ) => html`<tr key=${one.id || i}><th scope="row">${words(one.type)} ${one.name || ""}</th><td>${one.cloud}</td>
          <td>${one.id ? html`<${Id} id=${one.id} />` : "known by its name only"}</td>
        <td>${one.migration ? html`<a href=${`#/migrations/${one.migration}`}>migration ${one.migration}
          </a>` : ""} <span class="soft small">${one.since || ""}</span></td><td>${one.keep || "nothing is against it"}
            </td></tr>`,
      )}</tbody></table>`
    }
    ${(data?.notes || []).length > 0 && html`<ul class="lines soft">${data.notes.map((note) => html`<li key=${note}>
      ${note}</li>`)}</ul>`}
    ${
      asked &&
      html`<${Question} title=${`Remove ${count(items.length, "leftover")}?`} verb="Remove" danger
        close=${() => ask(false)} doIt=${remove}>
      <p>They are looked for again, and removed in both clouds. What a running migration uses stays.</p>
      <label class="check"><input type="checkbox" checked=${force} onChange=${(e) => setForce(e.target.checked)} />
        <span>Also what may belong to a migration that still runs on another host: see that it does not</span>
          </label><//>`
    }
  </main>`;
}
