// How sizes, times and names are written; as pumphouse/human.py does for the terminal.
export function size(count) {
  if (count === null || count === undefined) return "";
  let amount = count;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(amount) < 1024) return unit === "B" ? `${Math.round(amount)} B` : `${amount.toFixed(1)} ${unit}`;
    amount /= 1024;
  }
  return `${amount.toFixed(1)} TiB`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 10) return `${Math.max(seconds, 0).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

const two = (n) => String(n).padStart(2, "0");

export function moment(seconds) {
  if (!seconds) return "";
  const d = new Date(seconds * 1000);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(seconds)}`;
}

export function clock(seconds) {
  if (!seconds) return "";
  const d = new Date(seconds * 1000);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export const number = (n) => (n === null || n === undefined ? "–" : n.toLocaleString("en"));
export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
export const percent = (done, total) => (total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : 0);
export const words = (text) => String(text).replaceAll("_", " ");
export const short = (text, limit = 60) => (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`);

// How far a migration is: by bytes where it has any, else by units.
export function progress(m) {
  if (!m) return 0;
  if (m.bytes_total > 0) {
    const units = m.units ? m.units_done / m.units : 0;
    // Units without bytes count a little, so that the bar moves from the start.
    return Math.min(100, Math.floor(90 * (m.bytes_done / m.bytes_total) + 10 * units));
  }
  return percent(m.units_done, m.units);
}

const KINDS = ["server", "image", "volume", "user", "flavor", "network", "host"];
//: What is asked for of a host, and how that is called.
const DEEDS = { evacuate: "evacuation of", reassign: "reassignment of" };

// What the operator named: "tenant acme", "server web-1, server web-2". `named`: the name of what is there by its id.
export function chosen(selection = {}, named = (_kind, one) => one) {
  if (selection.all) return "everything";
  for (const [deed, text] of Object.entries(DEEDS)) if (selection[deed]) return `${text} ${selection[deed]}`;
  const parts = selection.tenant ? [["tenant", selection.tenant]] : [];
  for (const kind of KINDS) for (const one of selection[`${kind}s`] || []) parts.push([kind, one]);
  const more = parts.length > 4 ? parts.length - 3 : 0;
  const text = parts
    .slice(0, more ? 3 : 4)
    .map(([kind, one]) => `${kind} ${named(kind, one)}`)
    .join(", ");
  return more ? `${text} and ${more} more` : text || "nothing";
}

export function value(it) {
  return typeof it === "string" && it ? it : JSON.stringify(it);
}
