// The beginning: who is logged in, then the page.
import { html, render, useEffect } from "../vendor/vendor.js";
import { loggedOut, mayBeLoggedIn, readSession } from "./api.js";
import * as events from "./events.js";
import { set, useStore } from "./store.js";
import { Login } from "./login.js";
import { Shell } from "./shell.js";
import { Trouble, Wait } from "./parts.js";

async function begin() {
  set({ startError: null });
  if (!mayBeLoggedIn()) {
    set({ session: null });
    return;
  }
  try {
    set({ session: await readSession() });
  } catch (problem) {
    if (problem.status === 401) loggedOut(false);
    else set({ startError: problem });
  }
}

function App() {
  const session = useStore((s) => s.session);
  const error = useStore((s) => s.startError);
  const name = session && session.name;
  useEffect(() => {
    if (!name) return undefined;
    events.start();
    return events.stop;
  }, [name]);
  if (session) return html`<${Shell} />`;
  if (session === null) return html`<${Login} />`;
  return html`<main class="alone">${error ? html`<${Trouble} problem=${error} title="Pumphouse cannot be reached"
    onRetry=${begin} />` : html`<${Wait} text="Pumphouse is starting …" />`}</main>`;
}

const root = document.getElementById("app");
root.textContent = "";
render(html`<${App} />`, root);
begin();
