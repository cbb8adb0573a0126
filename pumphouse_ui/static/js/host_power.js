// Whether a machine is on: each is asked by itself, so that a silent one holds up nothing.
import { html } from "../vendor/vendor.js";
import { fetchJson } from "./api.js";
import { useLoad } from "./hooks.js";
import { Chip } from "./parts.js";
import { useStore } from "./store.js";

// {data, reload}; nothing is asked of a host that the inventory does not have, or that is switched by hand.
// `turn`: it is asked again when this changes.
export function usePower(name, noted, turn = "") {
  const epoch = useStore((s) => s.epoch);
  const switched = useStore((s) => s.powerEpoch);
  // After something was switched, what was said before that is of no use.
  const path = `hosts/${encodeURIComponent(name)}/power${switched ? "?refresh=true" : ""}`;
  const asked = noted && noted.bmc !== "none";
  return useLoad(
    (signal) => (asked ? fetchJson(path, signal) : null),
    [name, asked, epoch, switched, turn],
  );
}

export function PowerChip({ power, noted }) {
  if (!noted) return null;
  if (noted.bmc === "none") return html`<${Chip} state="unknown" text="switched by hand" />`;
  const { data, error, loading } = power;
  if (!data && loading) return html`<${Chip} state="pending" text="power is asked" />`;
  const state = data?.state || "unknown";
  const word = { on: "on", off: "off" }[state] || "not known";
  // Where there is little room the drawing says it.
  const text = html`<span class="power-word">power </span>${word}`;
  return html`<span data-testid="power" data-state=${state}><${Chip} state=${`power ${state}`} text=${text}
    title=${data?.error || error?.detail} /></span>`;
}
