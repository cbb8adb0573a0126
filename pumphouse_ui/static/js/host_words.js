// What a plan and a migration say of themselves where they are about a host: nothing is created then, and what is
// undone is something else.
import { count } from "./format.js";

//: evacuate, reassign, or nothing: what a selection asks for of a host.
export const hostVerb = (selection) => ["evacuate", "reassign"].find((verb) => selection?.[verb]);
//: How many units run at once where nobody says.
export const atOnce = (selection) => (hostVerb(selection) ? 2 : 4);

export const PROMISES = {
  evacuate:
    "Servers stay in the source: each goes on as it ran, on another host. It can be undone: then Nova may use the host again, and servers stay where they have come to.",
  reassign:
    "Nothing is switched off while Nova says that there are servers on it. Until its compute service is deleted in the source it can be undone; from there on it can only go on.",
};

export const FIRST =
  "A host goes to the destination only when it is empty and disabled. This empties it; then drag it again, or press Reassign.";

export const sums = (verb, s) =>
  verb === "evacuate"
    ? `${count(s.move, "server or volume", "servers and volumes")} to move to other hosts, ${count(s.conflict, "conflict")}${blocks(s)}`
    : `${count(s.units, "step")}${blocks(s)}`;

const blocks = (s) => (s.blocks ? `, ${count(s.blocks, "finding")} that ${s.blocks === 1 ? "blocks" : "block"}` : "");

//: What is said below the name of a migration, by its state.
export const STATES = {
  evacuate: {
    done: "The host is empty, and disabled: nothing new comes to it.",
    failed: "Something is still on the host. What could leave has left, and the host stays disabled; resume tries the others again.",
    stopped: "It was stopped before its end; resume goes on from where it was. The host stays disabled.",
    cancelled: "It was cancelled; what has left the host stays where it is. Resume goes on, roll back enables the host.",
    reverting: "Nova is told that it may use the host again.",
    reverted: "Nova uses the host as it did before; servers that have left it stay where they are.",
  },
  reassign: {
    done: "The host is a compute host of the destination, and enabled there.",
    failed: "It has stopped at the step that is named below; resume goes on from there.",
    stopped: "It was stopped between two steps; resume goes on from there.",
    cancelled: "It was cancelled between two steps. Resume goes on, roll back takes back what can be.",
    reverting: "What can be taken back is taken back.",
    reverted: "What could be taken back was; the log says what.",
  },
};

//: What an action will do, line by line.
export const LINES = {
  evacuate: {
    cancel: [
      "It stops at the next safe point.",
      "A server that is on its way is stopped or comes back; what has arrived stays there.",
      "The host stays disabled. Resume goes on later, roll back enables it.",
    ],
    resume: ["What was interrupted goes on, what had not begun is begun.", "What would not move is tried again."],
    rollback: [
      "Nova may use the host again, as it might before; what somebody else has changed since is left.",
      "Servers and volumes that have left it stay where they are.",
    ],
  },
  reassign: {
    cancel: ["It stops after the step that it is at.", "Resume goes on later, roll back takes back what can be."],
    resume: ["It goes on with the step that it was at; each looks first at how things are."],
    rollback: [
      "Before its compute service is deleted in the source: the machine is switched on again, and stays what it was.",
      "Afterwards: what the provisioner does is stopped, and the machine is left as it is. There is no way back to the source.",
    ],
  },
};
