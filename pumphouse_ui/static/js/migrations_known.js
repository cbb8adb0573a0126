// The migrations that are known here: those in work are read at the start, the others when something happens to them.
import { announce } from "./announce.js";
import { fetchJson } from "./api.js";
import { chosen } from "./format.js";
import { hostVerb } from "./host_words.js";
import { named } from "./names.js";
import { get, put, set, toast, useStore } from "./store.js";

const LIVE = ["queued", "planning", "running", "reverting"];
export const isLive = (m) => Boolean(m) && LIVE.includes(m.state);

// A part that shows names is drawn anew when more of them are known.
export const useNames = () => useStore((s) => s.named);
export const nameOf = (m) => chosen(m?.selection, named);

const reading = {};

// Several events in a moment are one reading.
export function readMigration(id) {
  if (reading[id]) return;
  reading[id] = setTimeout(async () => {
    delete reading[id];
    try {
      const migration = await fetchJson(`migrations/${id}`);
      set(put("migrations", migration));
    } catch {
      // The next event, or the view that shows it, tells.
    }
  }, 200);
}

export async function readLive(signal) {
  const pages = await Promise.all(LIVE.map((state) => fetchJson(`migrations?state=${state}&limit=200`, signal)));
  const items = pages.flatMap((page) => page.items);
  set((s) => ({ migrations: { ...s.migrations, ...Object.fromEntries(items.map((m) => [m.id, m])) } }));
  // What ended while nobody listened.
  const seen = new Set(items.map((m) => m.id));
  for (const m of Object.values(get().migrations)) if (isLive(m) && !seen.has(m.id)) readMigration(m.id);
  return items;
}

// By id, or by its name in its domain.
function isOf(selection, tenant) {
  if (selection?.tenant === tenant.id) return true;
  return (
    selection?.tenant === tenant.name &&
    (!selection.domain || [tenant.domain_id, tenant.domain_name].includes(selection.domain))
  );
}

// The migration that concerns a tenant now: the newer of what the list said and what events told.
export function migrationOf(tenant, migrations) {
  const own = tenant.migration && (migrations[tenant.migration.id] || tenant.migration);
  if (own && isLive(own)) return own;
  for (const m of Object.values(migrations)) {
    if (m.id > (own?.id || 0) && isOf(m.selection, tenant)) return m;
  }
  return own || null;
}

export function tellMigration(data) {
  const known = get().migrations[data.id];
  const name = known ? (hostVerb(known.selection) ? ` (${nameOf(known)})` : ` of ${nameOf(known)}`) : "";
  const text = `Migration ${data.id}${name}: ${data.state}`;
  announce(text);
  const href = `#/migrations/${data.id}`;
  // On its own page that is seen anyway.
  if (!LIVE.includes(data.state) && !location.hash.startsWith(href)) toast(text, { href, link: "Open it" });
}

let timer = 0;

// What a migration leaves behind shows in both columns; several that end together are one reading.
export function migrationEnded(state) {
  if (LIVE.includes(state)) return;
  clearTimeout(timer);
  timer = setTimeout(
    () => set((s) => ({ cloudEpoch: { source: s.cloudEpoch.source + 1, destination: s.cloudEpoch.destination + 1 } })),
    1500,
  );
}
