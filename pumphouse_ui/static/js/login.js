// The log-in: one field. Where one was stays in the address, and is shown again afterwards.
import { html, useEffect, useRef, useState } from "../vendor/vendor.js";
import { logIn } from "./api.js";
import { useStore } from "./store.js";
import { useTitle } from "./hooks.js";
import { Mark } from "./icons.js";
import { Trouble } from "./parts.js";
import { ThemeToggle } from "./theme.js";

export function Login() {
  const ended = useStore((s) => s.ended);
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const field = useRef(null);
  useTitle("Log in");
  useEffect(() => field.current.focus(), []);

  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!token.trim()) {
      setProblem({ detail: "The field is empty.", remedy: "Paste a token: one of Pumphouse's own begins with ph_." });
      field.current.focus();
      return;
    }
    setBusy(true);
    setProblem(null);
    try {
      await logIn(token.trim());
    } catch (error) {
      if (error.retryAfter) error.remedy = `${error.remedy || "Wait"} (${error.retryAfter} s)`;
      setProblem(error);
      setBusy(false);
      field.current.focus();
      field.current.select();
    }
  };

  return html`<main class="login">
    <form class="login-card" onSubmit=${submit}>
      <h1><${Mark} /> Pumphouse</h1>
      <p class="soft">Moves whole tenants from one OpenStack cloud to another.</p>
      ${ended && html`<p class="note"
        role="status">You were logged out. What runs goes on; log in, and you are back where you were.</p>`}
      <label for="token">Token</label>
      <input id="token" ref=${field} type="password" name="token" autocomplete="current-password" spellcheck=${false}
        data-testid="login-token"
        aria-describedby="token-help" aria-invalid=${problem ? "true" : "false"} value=${token}
          onInput=${(e) => setToken(e.target.value)} />
      <p id="token-help" class="soft small">An API token of Pumphouse (<code>ph_…</code>), or a Keystone token of either cloud
        (<code>openstack token issue -f value -c id</code>).</p>
      <${Trouble} problem=${problem} title="Not logged in" />
      <button class="primary" type="submit" data-testid="login-submit" aria-busy=${busy ? "true" : "false"}>
        ${busy ? "Logging in …" : "Log in"}</button>
    </form>
    <div class="login-foot"><${ThemeToggle} /></div>
  </main>`;
}
