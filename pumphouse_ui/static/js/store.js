// The state that several parts of the page share, and nothing else. Parts read it with useStore, and are drawn anew
// only when what they picked has changed.
import { useEffect, useRef, useState } from "../vendor/vendor.js";

const initial = () => ({
  //: undefined: not known yet; null: nobody is logged in; else what /v1/session answers.
  session: undefined,
  //: Somebody was logged in here, and is not any more.
  ended: false,
  //: connecting, online, offline: the stream of events.
  connection: "connecting",
  //: Rises when everything has to be read anew.
  epoch: 0,
  //: The same, for the tenants and hosts of one cloud.
  cloudEpoch: { source: 0, destination: 0 },
  //: Rises when a machine was switched.
  powerEpoch: 0,
  clouds: {},
  cloudsError: null,
  //: id -> migration, as newly as it is known.
  migrations: {},
  //: id -> {state, said} of plans, from events.
  plans: {},
  //: id -> job.
  jobs: {},
  //: A plan that is being asked for: {selection, label, error}.
  asking: null,
  //: Which column is shown where there is room for one only.
  side: "source",
  //: tenants or hosts, for each column.
  tab: { source: "tenants", destination: "tenants" },
  //: What is looked for in each column.
  search: { source: "", destination: "" },
  filter: { source: "", destination: "" },
  //: Rises when names are known that were not.
  named: 0,
  //: {id, text, href, link, tone}: what is said at the lower edge.
  toasts: [],
});

let state = initial();
const listeners = new Set();

export const get = () => state;

export function set(patch) {
  state = { ...state, ...(typeof patch === "function" ? patch(state) : patch) };
  for (const listener of [...listeners]) listener();
}

// What one person has read is not for the next one; what was looked for may stay.
export function forget() {
  const { search, filter, tab, side } = state;
  set({ ...initial(), search, filter, tab, side, session: null });
}

export function useStore(pick) {
  const [, draw] = useState(0);
  const last = useRef({});
  // One subscription for as long as the part is there, though `pick` is a new function each time it is drawn.
  last.current.pick = pick;
  last.current.picked = pick(state);
  useEffect(() => {
    const look = () => {
      if (!Object.is(last.current.pick(state), last.current.picked)) draw((n) => n + 1);
    };
    listeners.add(look);
    look();
    return () => listeners.delete(look);
  }, []);
  return last.current.picked;
}

let toastId = 0;

export function toast(text, more = {}) {
  const one = { id: ++toastId, text, ...more };
  set((s) => ({ toasts: [...s.toasts.slice(-3), one] }));
  // What has failed stays until it was read.
  if (more.tone !== "bad") setTimeout(() => dismiss(one.id), 12000);
}

export const dismiss = (id) => set((s) => ({ toasts: s.toasts.filter((one) => one.id !== id) }));

export const put = (map, value) => ({ [map]: { ...state[map], [value.id]: { ...state[map][value.id], ...value } } });
