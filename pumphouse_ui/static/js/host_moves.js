// What it means to move a host: it is emptied first, then handed over. Dragging, buttons and keys all end here.
import { announce } from "./announce.js";
import { may } from "./api.js";
import { chosen } from "./format.js";
import { askPlan } from "./moving.js";
import { toast } from "./store.js";

//: How Pumphouse says, in Nova, that it has emptied a host.
const OURS = "pumphouse: evacuated";

export const isEmpty = (host) => host.servers === 0 && host.status === "disabled";
export const isEvacuated = (host) => isEmpty(host) && String(host.disabled_reason || "").startsWith(OURS);

const ask = (selection) => askPlan(selection, chosen(selection));
// Nova's own name of the host; the inventory has that of the hypervisor.
export const evacuate = (host) => ask({ evacuate: host.host });
export const reassign = (host) => ask({ reassign: host.name });
// The other way to an empty host: what lives on it goes to the destination.
export const moveServers = (host) => ask({ hosts: [host.host] });

// It fell on, or was sent to, the column `target`.
export function moveHost(target, role, host) {
  if (target === role) return;
  if (role === "destination") {
    say(`Host ${host.name} is one of the destination: it is not sent to the source.`);
  } else if (!may("operator")) {
    say("Moving a host takes the role operator.");
  } else if (isEmpty(host)) {
    reassign(host);
  } else {
    announce(`Host ${host.name} must be emptied first: this is the plan for that`);
    evacuate(host);
  }
}

function say(text) {
  announce(text);
  toast(text);
}
