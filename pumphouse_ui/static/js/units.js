// The units of the migration that is looked at: read once, then kept up to date by events.
import { useEffect, useRef, useState } from "../vendor/vendor.js";
import { announce, counter } from "./announce.js";
import { readAll } from "./api.js";
import { on } from "./events.js";
import { useLoad } from "./hooks.js";
import { useStore } from "./store.js";

// Drawn at most so often: a thousand units may change in a moment.
const PAUSE = 250;
const tell = (counts) =>
  Object.entries(counts)
    .map(([state, n]) => `${n} ${n === 1 ? "unit" : "units"} ${state}`)
    .join(", ");

export function useUnits(id, state) {
  const epoch = useStore((s) => s.epoch);
  const { data, error, reload } = useLoad(
    (signal) => readAll(`migrations/${id}/units`, { signal }),
    [id, epoch, state],
  );
  const [units, setUnits] = useState(null);
  const now = useRef(new Map());
  const timer = useRef(0);

  useEffect(() => {
    if (!data) return;
    now.current = new Map(data.map((unit) => [unit.name, unit]));
    setUnits(data);
  }, [data]);

  useEffect(() => {
    const spoken = counter(tell);
    const draw = () => {
      timer.current ||= setTimeout(() => {
        timer.current = 0;
        setUnits([...now.current.values()]);
      }, PAUSE);
    };
    const change = (name, patch) => {
      const old = now.current.get(name);
      if (!old) return;
      if (patch.state && patch.state !== old.state) {
        if (patch.state === "failed") announce(`${old.title} failed: ${patch.error || ""}`);
        else spoken(patch.state);
      }
      now.current.set(name, { ...old, ...patch });
      draw();
    };
    const mine = (data) => String(data.migration_id) === String(id);
    const offs = [
      on("progress", (data) => mine(data) && (data.units || []).forEach((unit) => change(unit.name, unit))),
      on("unit", (data) => {
        if (!mine(data)) return;
        const patch = {};
        if (data.step) patch.step = data.step;
        if (data.state) {
          patch.state = data.state;
          if (data.state === "running") Object.assign(patch, { started: data.time, error: "" });
          else patch.finished = data.time;
          if (["failed", "blocked"].includes(data.state)) patch.error = data.error || data.text;
        }
        change(data.unit, patch);
      }),
    ];
    return () => {
      offs.forEach((off) => off());
      clearTimeout(timer.current);
      timer.current = 0;
    };
  }, [id]);
  return { units, problem: units ? null : error, retry: reload };
}
