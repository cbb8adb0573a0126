// The stream of events: what happens arrives here, goes to the store, and to whoever listens for a type.
import { announce } from "./announce.js";
import { fetchJson, loggedOut, readSession } from "./api.js";
import { get, put, set } from "./store.js";
import { migrationEnded, readMigration, tellMigration } from "./migrations_known.js";

const TYPES = ["migration", "unit", "log", "job", "plan", "progress", "clouds", "reset"];
//: Longer than this without the stream: what is shown may be old in ways that no event tells.
const GAP = 30000;
const SLOWEST = 15000;

const listeners = {};
let stream = null;
let last = "";
let lostAt = 0;
let retry = 0;
let timer = 0;

export function on(type, listener) {
  (listeners[type] ||= new Set()).add(listener);
  return () => listeners[type].delete(listener);
}

const readJob = (data) =>
  fetchJson(`jobs/${data.id}`).then(
    (job) => set(put("jobs", job)),
    () => set(put("jobs", data)),
  );

const readAnew = () => set((s) => ({ epoch: s.epoch + 1 }));

const HANDLERS = {
  migration(data) {
    const known = get().migrations[data.id];
    if (data.state && known?.state !== data.state) tellMigration(data);
    if (known && data.state) set(put("migrations", { id: data.id, state: data.state }));
    readMigration(data.id);
    if (data.state) migrationEnded(data.state);
  },
  progress(data) {
    if (!data.migration) return;
    const known = get().migrations[data.migration_id];
    if (known) set(put("migrations", { ...data.migration, id: data.migration_id }));
    else readMigration(data.migration_id);
  },
  plan: (data) => set(put("plans", data)),
  job(data) {
    if (!["done", "failed"].includes(data.state)) {
      set(put("jobs", data));
      return;
    }
    // What came of it is not in the event.
    readJob(data);
    if (data.migration_id) readMigration(data.migration_id);
  },
  clouds: (data) => set((s) => ({ cloudEpoch: { ...s.cloudEpoch, [data.role]: (s.cloudEpoch[data.role] || 0) + 1 } })),
  reset: readAnew,
};

function take(type, event) {
  if (event.lastEventId) last = event.lastEventId;
  let data;
  try {
    data = JSON.parse(event.data || "{}");
  } catch {
    return;
  }
  HANDLERS[type]?.(data);
  for (const listener of listeners[type] || []) listener(data, event.lastEventId);
}

function opened() {
  retry = 0;
  if (get().connection === "offline") {
    announce("Connected again");
    // Progress is not replayed, so that is read again after a short gap too.
    readAnew();
    if (lostAt && Date.now() - lostAt > GAP)
      set((s) => ({ cloudEpoch: { source: s.cloudEpoch.source + 1, destination: s.cloudEpoch.destination + 1 } }));
  }
  lostAt = 0;
  set({ connection: "online" });
}

async function lost() {
  lostAt ||= Date.now();
  if (get().connection === "online") announce("The connection is lost. What runs goes on; this page tries again");
  set({ connection: "offline" });
  // The browser tries again by itself unless it was refused: then nobody may be logged in any more.
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  try {
    await readSession();
  } catch (problem) {
    if (problem.status === 401) {
      stop();
      loggedOut(true);
      return;
    }
  }
  clearTimeout(timer);
  timer = setTimeout(start, Math.min(SLOWEST, 1000 * 2 ** retry++));
}

export function start() {
  stop();
  if (!get().session) return;
  stream = new EventSource(`/v1/events${last ? `?after=${encodeURIComponent(last)}` : ""}`);
  stream.onopen = opened;
  stream.onerror = lost;
  for (const type of TYPES) stream.addEventListener(type, (event) => take(type, event));
}

export function stop() {
  clearTimeout(timer);
  stream?.close();
  stream = null;
}

// The network is back: no need to wait for the next try.
addEventListener("online", () => get().session && get().connection === "offline" && start());

export const checkClouds = (signal) => fetchJson("clouds", signal);
