// Names of what a selection has by its id: learned from what was listed, else asked for, one after the other.
import { fetchJson } from "./api.js";
import { set } from "./store.js";

//: id -> name; null while it is asked for, or where nobody knows it.
const known = new Map();
const ID = /^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
let queue = Promise.resolve();

export const learn = (things) => things.forEach((thing) => thing?.name && known.set(thing.id, thing.name));

async function ask(kind, id) {
  try {
    const found =
      kind === "tenant"
        ? (await fetchJson(`clouds/source/tenants?search=${id}&limit=5`)).items.find((one) => one.id === id)
        : await fetchJson(`clouds/source/resources/${kind}/${id}`);
    if (!found?.name) return;
    known.set(id, found.name);
    // Whoever shows migrations draws them again.
    set((s) => ({ named: s.named + 1 }));
  } catch {
    // It is gone, or its cloud is: the id says it too.
  }
}

export function named(kind, id) {
  if (known.has(id)) return known.get(id) || id;
  if (ID.test(id)) {
    known.set(id, null);
    queue = queue.then(() => ask(kind, id));
  }
  return id;
}
