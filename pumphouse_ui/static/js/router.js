// Where one is, in the address behind "#": #/migrations/7?unit=server:1. So links, reloads and the log-in keep it.
import { useEffect, useState } from "../vendor/vendor.js";

function parse() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return {
    hash: location.hash,
    path: path.split("/").filter(Boolean).map(decode),
    query: Object.fromEntries(new URLSearchParams(query || "")),
  };
}

// A "%" that somebody typed is no reason to show nothing.
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

let route = parse();
const listeners = new Set();

function changed() {
  route = parse();
  for (const listener of [...listeners]) listener(route);
}

addEventListener("hashchange", changed);

export const here = () => route;

export function link(path, query = {}) {
  const parts = path.map(encodeURIComponent).join("/");
  const filled = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(filled).toString();
  return `#/${parts}${text ? `?${text}` : ""}`;
}

export function go(hash, { replace = false } = {}) {
  if (hash === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", hash);
  changed();
}

// The same place, with other choices.
export const withQuery = (patch) => link(route.path, { ...route.query, ...patch });

export function useRoute() {
  const [now, set] = useState(route);
  useEffect(() => {
    listeners.add(set);
    set(route);
    return () => listeners.delete(set);
  }, []);
  return now;
}
