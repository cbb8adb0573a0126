// The plan that a migration was begun with.
import { html } from "../vendor/vendor.js";
import { fetchJson } from "./api.js";
import { useLoad } from "./hooks.js";
import { Trouble, Wait } from "./parts.js";
import { Everything } from "./plan_parts.js";

export function PlanOf({ id }) {
  const { data, error, reload } = useLoad((signal) => fetchJson(`migrations/${id}/plan`, signal), [id]);
  if (error) return html`<${Trouble} problem=${error} title="The plan cannot be read" onRetry=${reload} />`;
  if (!data) return html`<${Wait} text="Reading the plan …" />`;
  const left = data.not_carried || [];
  return html`<div class="scroll"><${Everything} units=${data.units || []} />
    ${left.length > 0 && html`<h3>Not carried</h3><ul class="lines">${left.map((item) => html`<li
      key=${`${item.type}${item.id}`}><b>${item.type} ${item.name || item.id}</b>: ${item.reason}</li>`)}</ul>`}
    ${(data.notes || []).length > 0 && html`<h3>Notes</h3><ul class="lines">${data.notes.map((note) => html`<li
      key=${note}>${note}</li>`)}</ul>`}</div>`;
}
