// The graph of a migration's units, drawn as SVG. The table beside it says the same in words.
import { html, useEffect, useMemo, useRef, useState } from "../vendor/vendor.js";
import { HEIGHT, MOST, WIDTH, collapse, facts, layout, line } from "./graph_layout.js";
import { Icon } from "./icons.js";
import { stateIcon, tone } from "./parts.js";
import { Dialog } from "./dialog.js";
import { UnitTable } from "./unit_table.js";

//: Layouts of big graphs are not made more often than this, in milliseconds.
const PAUSE = 2000;

// The same object until what waits for what, or what is collapsed, has changed.
function useNodes(units) {
  const made = useRef({ key: "", nodes: new Map(), at: 0 });
  const [, later] = useState(0);
  const big = units.length > MOST;
  const fresh = useMemo(() => collapse(units), [units]);
  const key = [...fresh.values()]
    .map((node) => (node.group ? `${node.name} ${node.units.length}` : node.name))
    .join("\n");
  const wait = big && made.current.key ? made.current.at + PAUSE - Date.now() : 0;
  useEffect(() => {
    if (key === made.current.key || wait <= 0) return undefined;
    const timer = setTimeout(() => later((n) => n + 1), wait);
    return () => clearTimeout(timer);
  }, [key, wait > 0]);
  if (key !== made.current.key && wait <= 0) made.current = { key, nodes: fresh, at: Date.now() };
  return made.current.nodes;
}

const ICON_PATHS = {
  check: "M-4 .5l2.700 2.700L4-3.500",
  cross: "M-3.500-3.500l7 7M3.500-3.500l-7 7",
  play: "M-2.500-4L4 0l-6.500 4z",
  wait: "M0-4V0l3 2",
  block: "M-4-4l8 8M0-5.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11z",
  stop: "M-3.500-3.500h7v7h-7z",
  back: "M-1-4l-3.500 3.500L-1 3M-4.500-.5H2a2.500 2.500 0 0 1 0 5",
};

function Node({ node, place, told, chosen, active, onChoose, onActive, onHover }) {
  const { state, title, under, value, full } = told;
  const keys = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    onChoose(node);
  };
  return html`<g class=${`node ${tone(state)} ${state} ${chosen ? "chosen" : ""} ${node.group ? "group" : ""}`}
    role="button" tabindex=${active ? "0" : "-1"} aria-label=${`${title} ${under}`}
      data-testid=${node.group ? "unit-group" : "unit-node"} data-unit=${node.name} data-state=${state}
        transform=${`translate(${place.x - WIDTH / 2} ${place.y - HEIGHT / 2})`}
      onClick=${() => onChoose(node)} onKeyDown=${keys} onFocus=${() => onActive(node.name)}
      onMouseEnter=${() => onHover(full)} onMouseLeave=${() => onHover("")}>
    ${node.group && html`<rect class="node-behind" x="4" y="4" width=${WIDTH} height=${HEIGHT} rx="7" />`}
    <rect class="node-box" width=${WIDTH} height=${HEIGHT} rx="7" />
    ${state === "running" && value > 0 && html`<rect class="node-fill" x="1.500" y=${HEIGHT - 5}
      width=${((WIDTH - 3) * value) / 100} height="3.500" rx="1.500" />`}
    <path class="node-icon" transform="translate(15 17)" d=${ICON_PATHS[stateIcon(state)] || ICON_PATHS.wait} />
    <svg width=${WIDTH - 4} height=${HEIGHT}><text class="node-title" x="28" y="20">${title}</text>${" "}<text
      class="node-under" x="12" y="36">${under}</text></svg>
  </g>`;
}

function nearest(places, from, key) {
  const here = places[from];
  const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
  let best = null;
  for (const [name, place] of Object.entries(places)) {
    const [x, y] = [place.x - here.x, place.y - here.y];
    const ahead = x * dx + y * dy;
    if (ahead <= 1) continue;
    const far = ahead + 3 * Math.abs(x * dy + y * dx);
    if (!best || far < best.far) best = { name, far };
  }
  return best?.name;
}

export function Graph({ units, chosen, onChoose }) {
  const nodes = useNodes(units);
  const drawn = useMemo(() => layout(nodes), [nodes]);
  const byName = useMemo(() => new Map(units.map((unit) => [unit.name, unit])), [units]);
  const box = useRef(null);
  const [zoom, setZoom] = useState(0);
  const [active, setActive] = useState("");
  const [group, setGroup] = useState(null);
  const [hover, setHover] = useState("");
  const first = nodes.has(active) ? active : nodes.keys().next().value;
  const fit = () =>
    setZoom(
      Math.min(
        1,
        Math.max(
          0.25,
          Math.min((box.current.clientWidth - 4) / drawn.width, (box.current.clientHeight - 4) / drawn.height),
        ),
      ),
    );
  // At first as much of it as can still be read.
  useEffect(() => {
    if (!zoom && units.length) setZoom(Math.min(1, Math.max(0.85, (box.current.clientWidth - 4) / drawn.width)));
  }, [drawn]);
  // What runs, or failed, or comes first, is in sight.
  useEffect(() => {
    if (!zoom || !units.length) return;
    const wanted =
      ["running", "failed"].flatMap((state) =>
        [...nodes.values()].filter((node) => facts(node, byName).state === state),
      )[0] || nodes.values().next().value;
    const place = drawn.places[wanted.name];
    box.current.scrollTop = place.y * zoom - box.current.clientHeight / 2;
    box.current.scrollLeft = place.x * zoom - box.current.clientWidth / 2;
  }, [Boolean(zoom)]);
  const keys = (event) => {
    if (!event.key.startsWith("Arrow") || !event.target.closest(".node")) return;
    event.preventDefault();
    const next = nearest(drawn.places, first, event.key);
    if (!next) return;
    setActive(next);
    const element = box.current.querySelector(`[data-unit="${CSS.escape(next)}"]`);
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const open = (node) => (node.group ? setGroup(node.name) : onChoose(node.name));
  const stateOf = (name) => facts(nodes.get(name), byName).state;
  const groupUnits =
    group && nodes.has(group)
      ? nodes
          .get(group)
          .units.map((name) => byName.get(name))
          .filter(Boolean)
      : [];

  return html`<div class="graph-tools"><span class="graph-says soft small">
    ${hover || (units.length > MOST ? `${units.length} units; those of a kind are collapsed` : "What waits for what, from left to right")}</span>
      <button class="plain icon" aria-label="Smaller" onClick=${() => setZoom(Math.max(0.25, zoom / 1.25))}><${Icon}
        name="minus" /></button>
      <button class="plain icon" aria-label="Bigger" onClick=${() => setZoom(Math.min(2, zoom * 1.25))}><${Icon}
        name="plus" /></button>
      <button class="plain icon" aria-label="All of it" title="All of it" onClick=${fit}><${Icon} name="fit" />
        </button></div>
    <div class="graph" ref=${box} data-testid="graph" onKeyDown=${keys}>
      <svg width=${drawn.width * (zoom || 1)} height=${drawn.height * (zoom || 1)}
        viewBox=${`0 0 ${drawn.width} ${drawn.height}`} role="group"
        aria-label="Graph of the units; the table of units says the same">
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path class="arrow-head" d="M0 0l8 4-8 4z" /></marker></defs>
        ${drawn.edges.map((edge) => html`<path key=${`${edge.from}→${edge.to}`}
          class=${`edge ${nodes.has(edge.from) ? tone(stateOf(edge.from)) : ""}`} d=${line(edge.points)}
          marker-end="url(#arrow)" />`)}
        ${[...nodes.values()].map(
          (
            node,
          ) => html`<${Node} key=${node.name} node=${node} place=${drawn.places[node.name]} told=${facts(node, byName)}
            chosen=${node.name === chosen}
          active=${node.name === first} onChoose=${open} onActive=${setActive} onHover=${setHover} />`,
        )}
      </svg></div>
    ${
      group &&
      html`<${Dialog} sheet title=${group} onClose=${() => setGroup(null)}><${UnitTable} units=${groupUnits}
        onChoose=${(
        name,
      ) => {
        setGroup(null);
        onChoose(name);
      }} /><//>`
    }`;
}
