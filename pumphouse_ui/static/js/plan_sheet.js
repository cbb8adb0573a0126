// The sheet with a plan: made, shown, changed by choices, and started; nothing else starts anything.
import { html, useEffect, useRef, useState } from "../vendor/vendor.js";
import { announce } from "./announce.js";
import { fetchJson, make, newKey } from "./api.js";
import { Dialog } from "./dialog.js";
import { count, size } from "./format.js";
import { useEvery, useLoad } from "./hooks.js";
import { PROMISES, atOnce, sums as hostSums, hostVerb } from "./host_words.js";
import { Icon } from "./icons.js";
import { nameOf } from "./migrations_known.js";
import { askPlan } from "./moving.js";
import { Trouble, Wait } from "./parts.js";
import { PlanBody } from "./plan_parts.js";
import { go, withQuery } from "./router.js";
import { put, set, toast, useStore } from "./store.js";

export function PlanSheet({ route }) {
  const asking = useStore((s) => s.asking);
  const id = route.query.plan;
  if (!id && !asking) return null;
  const close = () => {
    set({ asking: null });
    go(withQuery({ plan: undefined }), { replace: true });
  };
  return html`<${Sheet} key="sheet" id=${id} asking=${asking} close=${close} />`;
}

function Sheet({ id, asking, close }) {
  const event = useStore((s) => s.plans[id]);
  const epoch = useStore((s) => s.epoch);
  const { data, error, reload } = useLoad(
    (signal) => (id ? fetchJson(`plans/${id}`, signal) : null),
    [id, event?.state, epoch],
  );
  const plan = data && String(data.id) === String(id) ? data : null;
  const making = asking ? !asking.error : !error && (!plan || plan.state === "making");
  const [options, setOptions] = useState({ concurrency: null, ignore: false, after: "keep" });
  const [start, setStart] = useState({ busy: false, error: null });
  const key = useRef(newKey());
  const label = asking?.label || (plan && nameOf(plan)) || "";
  const said = (event?.state === "making" && event.said) || plan?.said || "";

  // Where no event arrives, it is asked for.
  useEvery(2000, reload, Boolean(id) && !asking && making);
  useEffect(() => {
    key.current = newKey();
    setStart({ busy: false, error: null });
    setOptions((o) => ({ ...o, ignore: false, pending: false }));
  }, [id]);
  useEffect(
    () =>
      announce(
        making
          ? `Making the plan${label ? ` for ${label}` : ""}`
          : plan?.state === "ready"
            ? `The plan is ready: ${sums(plan)}`
            : plan
              ? "The plan could not be made"
              : "",
      ),
    [making, !making && plan?.id],
  );

  const begin = async () => {
    setStart({ busy: true, error: null });
    try {
      const migration = await make(
        "migrations",
        {
          plan_id: plan.id,
          concurrency: options.concurrency ?? atOnce(plan.selection),
          ignore_findings: options.ignore,
          source_after: options.after,
        },
        key.current,
      );
      set(put("migrations", migration));
      close();
      const text = `Migration ${migration.id} ${hostVerb(plan.selection) ? `(${label})` : `of ${label}`} has begun.`;
      announce(text);
      toast(text, { href: `#/migrations/${migration.id}`, link: "Open it" });
    } catch (problem) {
      // Its answer may be lost: the same key again can do no harm.
      if (problem.code !== "unreachable") key.current = newKey();
      setStart({ busy: false, error: problem });
    }
  };
  const anew = (selection) => askPlan(selection, label, { replace: true });

  const failed =
    asking?.error ||
    (plan?.state === "failed" && (plan.error || { detail: "It failed without a word." })) ||
    (!plan && error);
  const ready = !asking && plan?.state === "ready";
  return html`<${Dialog} sheet testid="plan-sheet" closeTestid="plan-close"
    title=${label ? `Plan for ${label}` : "Plan"} onClose=${close}
      foot=${html`<${Foot} ready=${ready && plan} options=${options} setOptions=${setOptions} start=${start}
      begin=${begin} close=${close} />`}>
    ${failed && html`<${Trouble} problem=${failed} title="No plan could be made"
      onRetry=${() => anew(asking?.selection || plan?.selection || {})} />`}
    ${making && !failed && html`<div class="making"><${Wait} text="Looking at both clouds; nothing is changed." /><p
      class="said" aria-hidden="true">${said || "asked for"}</p></div>`}
    ${ready && html`<${PlanBody} plan=${plan} options=${options} setOptions=${setOptions} anew=${anew} />`}
  <//>`;
}

const sums = ({ summary: s, selection }) =>
  s && hostVerb(selection)
    ? hostSums(hostVerb(selection), s)
    : s
    ? `${s.create} to create, ${s.reuse} to reuse, ${count(s.conflict, "conflict")}, ${s.blocks ? `${count(s.blocks, "finding")} that block, ` : ""}${size(s.bytes)} to move`
    : "";

function Foot({ ready, options, setOptions, start, begin, close }) {
  const blocked = ready && ready.summary?.blocks > 0 && !options.ignore;
  const used = ready && ready.migration_id;
  const about = ready && hostVerb(ready.selection);
  const number = (event) =>
    setOptions({ ...options, concurrency: Math.min(64, Math.max(1, Number(event.target.value) || 1)) });
  return html`${start.error && html`<${Trouble} problem=${start.error} title="It was not started" />`}
    ${ready && html`<p class="promise"><${Icon} name="shield" />
      <span>${PROMISES[about] || "The source is kept: its servers are stopped one by one, and never deleted before you accept. Until then it can be rolled back."}</span></p>`}
    <div class="foot-row">
      ${ready && about !== "reassign" && html`<label class="number">Units at once <input type="number" min="1" max="64"
        value=${options.concurrency ?? atOnce(ready.selection)} data-testid="plan-concurrency" onChange=${number} /></label>`}
      <span class="grow"></span>
      <button data-testid="plan-cancel" onClick=${close}>Cancel</button>
      <button class="primary" data-testid="plan-start" disabled=${!ready || blocked || used || options.pending || start.busy}
        aria-describedby=${blocked ? "why-not" : options.pending ? "plan-first" : undefined} onClick=${begin}>
        <${Icon} name="play" />${start.busy ? "Starting …" : ready && !about && !ready.summary?.create ? "Start (nothing to create)" : "Start"}
          </button></div>
    ${used && html`<p class="small warn-text">It was used already: <a href=${`#/migrations/${used}`}>migration ${used}
      </a>. Plan again, as the clouds have changed since.</p>`}
    ${ready && options.pending && html`<p id="plan-first" class="small warn-text">Other choices were made above: plan again with
      them first.</p>`}
    ${blocked && html`<p id="why-not" class="small bad-text">
      ${count(ready.summary.blocks, "finding")} block: mend them and plan again${ready.summary.ignorable ? ", or choose above to go on all the same" : ""}.</p>`}`;
}
