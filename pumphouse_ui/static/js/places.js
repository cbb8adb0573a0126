// Where tenants are, and which one was opened last in each column: one comes back to its card.
import { go, link } from "./router.js";

const opened = {};

export const tenantLink = (role, id) => (role === "source" ? link(["tenants", id]) : link(["tenants", role, id]));

export function openTenant(role, tenant, index) {
  opened[role] = index;
  go(tenantLink(role, tenant.id));
}

export function cameFrom(role) {
  const index = opened[role];
  delete opened[role];
  return index;
}
