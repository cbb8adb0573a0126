// The log of a migration: read once, then what arrives; the newest first.
import { html, useEffect, useMemo, useState } from "../vendor/vendor.js";
import { readAll } from "./api.js";
import { on } from "./events.js";
import { moment, short } from "./format.js";
import { useLoad } from "./hooks.js";
import { Empty, Search, Trouble, Wait } from "./parts.js";
import { useStore } from "./store.js";
import { VirtualList } from "./virtual.js";

//: So many lines can be looked through here; the command `pumphouse logs` has all.
const MOST = 10000;

export function Log({ id, units, onChoose }) {
  const epoch = useStore((s) => s.epoch);
  const { data, error, reload } = useLoad(
    (signal) => readAll(`migrations/${id}/events`, { signal, most: MOST }),
    [id, epoch],
  );
  const [fresh, setFresh] = useState([]);
  const [search, setSearch] = useState("");
  const titles = useMemo(() => new Map((units || []).map((unit) => [unit.name, unit.title])), [units]);

  useEffect(() => {
    const take = (type) => (event, eventId) => {
      const about = type === "migration" ? event.id : event.migration_id;
      if (String(about) !== String(id)) return;
      const text = event.text || event.step || event.state || "";
      const one = {
        id: Number(eventId) || Date.now() + Math.random(),
        time: event.time || Date.now() / 1000,
        unit: event.unit || null,
        kind: event.kind || (event.step ? "step" : "state"),
        text,
      };
      setFresh((all) => [...all.slice(-MOST), one]);
    };
    const offs = ["unit", "log", "migration"].map((type) => on(type, take(type)));
    return () => offs.forEach((off) => off());
  }, [id]);

  const lines = useMemo(() => {
    const known = new Map((data || []).map((event) => [event.id, event]));
    // What arrived while the others were read is among both.
    for (const event of fresh) if (!known.has(event.id)) known.set(event.id, event);
    const wanted = search.trim().toLowerCase();
    return [...known.values()]
      .filter(
        (event) =>
          !wanted ||
          `${event.kind} ${event.text} ${event.unit || ""} ${titles.get(event.unit) || ""}`
            .toLowerCase()
            .includes(wanted),
      )
      .reverse();
  }, [data, fresh, search, titles]);

  const row = (i) => {
    const event = lines[i];
    return html`<div class="log-row" tabindex="0" data-row><span class="log-top small soft"><time>${moment(event.time)}
      </time><span class="log-kind">${event.kind}</span>
        ${event.unit && html`<button class="link small" onClick=${() => onChoose(event.unit)}>
          ${short(titles.get(event.unit) || event.unit, 40)}</button>`}</span>
      <span class="log-text" title=${event.text}>${event.text}</span></div>`;
  };
  return html`<div class="tools"><${Search} label="Search the log" value=${search} onInput=${setSearch} /></div>
    ${error && html`<${Trouble} problem=${error} title="The log cannot be read" onRetry=${reload} />`}
    ${!data && !error && html`<${Wait} text="Reading the log …" />`}
    ${data && !lines.length && html`<${Empty} title="No line"><p>${search ? "None fits." : "Nothing has happened yet."}
      </p><//>`}
    ${lines.length > 0 && html`<${VirtualList} class="units" label="Log, the newest first" count=${lines.length}
      height=${3} row=${row} />`}`;
}
