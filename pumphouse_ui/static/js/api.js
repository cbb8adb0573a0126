// All calls of the API. What it refuses becomes a Problem, which holds the service's own words.
import { forget, get, set } from "./store.js";

class Problem extends Error {
  constructor(body, status) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code || "unknown";
    this.detail = this.message;
    this.remedy = body.remedy || "";
    this.field = body.field || null;
    this.errors = body.errors || [];
    this.retryAfter = null;
  }
}

// crypto.randomUUID is missing on plain http beyond localhost.
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

async function send(method, path, { body, key, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") {
    headers["X-CSRF-Token"] = get().session?.csrf_token || "";
    if (method === "POST") headers["Idempotency-Key"] = key || newKey();
  }
  try {
    return await fetch(path.startsWith("/") ? path : `/v1/${path}`, {
      method,
      headers,
      signal,
      credentials: "same-origin",
      cache: "no-cache",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(
      {
        code: "unreachable",
        detail: "Pumphouse's server does not answer.",
        remedy: "What runs there goes on. Look at the network and the service; the page tries again by itself.",
      },
      0,
    );
  }
}

async function read(response) {
  if (response.status === 204) return null;
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    // A proxy's own page, most likely.
  }
  if (response.ok) return body;
  const problem = new Problem(
    body || { title: `The server answered ${response.status} ${response.statusText}` },
    response.status,
  );
  problem.retryAfter = response.headers.get("Retry-After");
  throw problem;
}

async function call(method, path, options = {}) {
  try {
    return await read(await send(method, path, options));
  } catch (problem) {
    if (problem.code === "csrf" && !options.again) {
      // Somebody logged in anew in another tab: the cookie is shared, its token is not.
      set({ session: await readSession() });
      return call(method, path, { ...options, again: true });
    }
    if (problem.status === 401 && get().session) {
      loggedOut(true);
    }
    throw problem;
  }
}

export const fetchJson = (path, signal) => call("GET", path, { signal });
export const make = (path, body = {}, key = undefined) => call("POST", path, { body, key });

export const readSession = async () => read(await send("GET", "session"));

//: Whether somebody has logged in with this browser: else there is no need to ask, and to be refused.
const MARK = "pumphouse.session";

export function mayBeLoggedIn() {
  try {
    return localStorage.getItem(MARK) !== null;
  } catch {
    return true;
  }
}

function markSession(on) {
  try {
    if (on) localStorage.setItem(MARK, "1");
    else localStorage.removeItem(MARK);
  } catch {
    // Then it is asked for each time.
  }
}

export async function logIn(token) {
  const session = await read(await send("POST", "session", { body: { token } }));
  markSession(true);
  set({ session, ended: false });
}

// Nobody is logged in any more, whoever ended it: the log-in is shown, and afterwards where one was.
export function loggedOut(ended) {
  markSession(false);
  forget();
  set({ ended });
}

export async function logOut() {
  try {
    await call("DELETE", "session");
  } finally {
    loggedOut(false);
  }
}

// Every page of a list, up to a number that still can be looked at.
export async function readAll(path, { most = 20000, signal, page } = {}) {
  let next = `${path}${path.includes("?") ? "&" : "?"}limit=200`;
  let items = [];
  while (next && items.length < most) {
    const got = await fetchJson(next, signal);
    items = items.concat(got.items);
    next = got.next;
    page?.(items, got);
  }
  return items;
}

const RANKS = { viewer: 0, operator: 1, admin: 2 };
export const may = (role) => (RANKS[get().session?.role] ?? -1) >= RANKS[role];
