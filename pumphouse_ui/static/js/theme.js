// Light or dark: the system's, until the toggle was used.
import { html, useEffect, useState } from "../vendor/vendor.js";
import { Icon } from "./icons.js";

const system = matchMedia("(prefers-color-scheme: dark)");
const now = () => document.documentElement.dataset.theme || (system.matches ? "dark" : "light");

export function ThemeToggle() {
  const [theme, setTheme] = useState(now);
  useEffect(() => {
    const changed = () => setTheme(now());
    system.addEventListener("change", changed);
    return () => system.removeEventListener("change", changed);
  }, []);
  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("pumphouse.theme", next);
    } catch {
      // It holds until the page is closed, then.
    }
    setTheme(next);
  };
  return html`<button class="plain icon" data-testid="theme-toggle" onClick=${toggle}
    aria-label=${`Use the ${theme === "dark" ? "light" : "dark"} theme`}
      title=${`Use the ${theme === "dark" ? "light" : "dark"} theme`}>
    <${Icon} name=${theme === "dark" ? "sun" : "moon"} />
  </button>`;
}
