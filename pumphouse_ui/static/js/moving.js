// What it means to move something: which plan is asked for. Dragging, buttons and keys all end here.
import { announce } from "./announce.js";
import { make, may, newKey } from "./api.js";
import { go, withQuery } from "./router.js";
import { get, set, toast } from "./store.js";

//: How the API names what is moved by itself.
const LISTS = {
  server: "servers",
  image: "images",
  volume: "volumes",
  user: "users",
  network: "networks",
  flavor: "flavors",
};

// By its name in its domain: so it stands in the report and in lists, and can be looked for.
export const ofTenant = (tenant) => ({ tenant: tenant.name, domain: tenant.domain_id });

// Servers and the like of one tenant, by their ids.
export function ofResources(resources) {
  const selection = {};
  for (const one of resources) (selection[LISTS[one.type]] ||= []).push(one.id);
  return selection;
}

// Ask for a plan, and show it. Nothing is started.
export async function askPlan(selection, label, { replace = false } = {}) {
  if (!may("operator")) {
    announce("That takes the role operator");
    return;
  }
  const key = newKey();
  set({ asking: { selection, label, error: null } });
  try {
    const plan = await make("plans", { selection }, key);
    // It was closed meanwhile: the plan is not wanted any more.
    if (get().asking?.selection !== selection) return;
    go(withQuery({ plan: plan.id }), { replace });
    set({ asking: null });
  } catch (error) {
    set((s) => (s.asking?.selection === selection ? { asking: { ...s.asking, error } } : {}));
  }
}

// `thing`: {role, label, selection, migration}; it fell on, or was sent to, the column `target`.
export function moveTo(target, thing) {
  if (target === thing.role) return;
  if (target === "destination") {
    askPlan(thing.selection, thing.label);
    return;
  }
  if (thing.migration && may("operator")) {
    go(`#/migrations/${thing.migration.id}?do=rollback`);
    return;
  }
  const text = thing.migration
    ? "Rolling back takes the role operator."
    : `${thing.label} was not brought here by Pumphouse: it cannot be sent back.`;
  announce(text);
  toast(text);
}
