// Where the units stand in the graph: what waits for what, from left to right. Many are collapsed into groups.
import { dagre } from "../vendor/vendor.js";
import { short, words } from "./format.js";

export const MOST = 300;
export const WIDTH = 200;
export const HEIGHT = 46;

//: In this order they are collapsed: what is finished first, what failed last.
const COLLAPSE = [["done", "reverted"], ["pending"], ["blocked", "stopped"], ["running", "failed"]];

// Units by kind and state where there are too many to be drawn one by one.
export function collapse(units, most = MOST) {
  const grouped = new Set();
  const key = (unit) => (grouped.has(unit.state) ? `${unit.kind} ${unit.state}` : unit.name);
  let keys = units.length;
  for (const states of COLLAPSE) {
    if (keys <= most) break;
    states.forEach((state) => grouped.add(state));
    keys = new Set(units.map(key)).size;
  }
  const sizes = new Map();
  for (const unit of units) sizes.set(key(unit), (sizes.get(key(unit)) || 0) + 1);
  const nodes = new Map();
  const home = new Map();
  for (const unit of units) {
    // A group of one is no group.
    const name = sizes.get(key(unit)) === 1 ? unit.name : key(unit);
    home.set(unit.name, name);
    if (!nodes.has(name)) nodes.set(name, { name, group: name !== unit.name, units: [], needs: new Set() });
    nodes.get(name).units.push(unit.name);
  }
  for (const unit of units) {
    const node = nodes.get(home.get(unit.name));
    for (const need of unit.needs || [])
      if (home.has(need) && home.get(need) !== node.name) node.needs.add(home.get(need));
  }
  return nodes;
}

// Without arrows that others imply: a needs b, b needs c; that a needs c too says nothing more.
function reduce(nodes) {
  const above = new Map();
  const walk = (name, path) => {
    if (above.has(name)) return above.get(name);
    if (path.has(name)) return new Set();
    path.add(name);
    const all = new Set();
    for (const need of nodes.get(name).needs) {
      all.add(need);
      for (const one of walk(need, path)) all.add(one);
    }
    path.delete(name);
    above.set(name, all);
    return all;
  };
  const edges = [];
  for (const [name, node] of nodes) {
    const implied = new Set();
    for (const need of node.needs) for (const one of walk(need, new Set())) implied.add(one);
    for (const need of node.needs) if (!implied.has(need) || walk(need, new Set()).has(name)) edges.push([need, name]);
  }
  return edges;
}

export function layout(nodes) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 10, edgesep: 3, ranksep: 52, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of nodes.keys()) graph.setNode(name, { width: WIDTH, height: HEIGHT });
  for (const [from, to] of reduce(nodes)) graph.setEdge(from, to);
  dagre.layout(graph);
  const { width, height } = graph.graph();
  return {
    width: Math.max(width || 0, WIDTH),
    height: Math.max(height || 0, HEIGHT),
    places: Object.fromEntries([...nodes.keys()].map((name) => [name, graph.node(name)])),
    edges: graph
      .edges()
      .map((edge) => ({
        from: edge.v,
        to: edge.w,
        points: ends(graph.node(edge.v), graph.node(edge.w), graph.edge(edge).points),
      })),
  };
}

// Lines leave a node at its right side and come in at the left one, wherever dagre would have them.
const ends = (from, to, points) =>
  from.x < to.x
    ? [{ x: from.x + WIDTH / 2, y: from.y }, ...points.slice(1, -1), { x: to.x - WIDTH / 2, y: to.y }]
    : points;

// A line through the points that dagre gives, bent softly.
export function line(points) {
  const [first, ...rest] = points;
  let path = `M${first.x} ${first.y}`;
  let last = first;
  for (const point of rest) {
    const middle = (last.x + point.x) / 2;
    path += `C${middle} ${last.y} ${middle} ${point.y} ${point.x} ${point.y}`;
    last = point;
  }
  return path;
}

const GROUP_WORDS = { reverted: "rolled back" };

// What is written in a node: of a group all its units together.
export function facts(node, byName) {
  const units = node.units.map((name) => byName.get(name)).filter(Boolean);
  const [first] = units;
  if (!first) return { state: "pending", title: "", under: "", value: 0 };
  const sum = (field) => units.reduce((all, unit) => all + (unit[field] || 0), 0);
  const [done, total] = [sum("bytes_done"), sum("bytes_total")];
  const value = total ? Math.min(100, Math.floor((100 * done) / total)) : 0;
  if (node.group)
    return {
      state: first.state,
      title: `${units.length} × ${words(first.kind)}`,
      under: GROUP_WORDS[first.state] || first.state,
      value,
      full: `${units.length} units of kind ${words(first.kind)}, ${first.state}`,
    };
  const under =
    first.state === "running"
      ? total
        ? `${value} % ${first.step || ""}`
        : first.step || "running"
      : ["failed", "blocked"].includes(first.state)
        ? `${first.state}: ${first.error || ""}`
        : GROUP_WORDS[first.state] || first.state;
  return {
    state: first.state,
    title: short(first.title, 24),
    under: short(under, 30),
    value,
    full: `${first.title}: ${first.state}${first.error ? `: ${first.error}` : first.state === "running" && first.step ? `: ${first.step}` : ""}`,
  };
}
