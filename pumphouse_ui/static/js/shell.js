// What is around every view: the bar above, the banners, the messages below; and which view it is.
import { html, useEffect } from "../vendor/vendor.js";
import { logOut } from "./api.js";
import { Board } from "./board.js";
import { checkClouds } from "./events.js";
import { useLoad, useTitle } from "./hooks.js";
import { HostOrder } from "./host_order.js";
import { Icon, Mark } from "./icons.js";
import { Leftovers } from "./leftovers.js";
import { MigrationPage } from "./migration.js";
import { Migrations } from "./migrations.js";
import { isLive, readLive } from "./migrations_known.js";
import { PlanSheet } from "./plan_sheet.js";
import { useRoute } from "./router.js";
import { dismiss, set, useStore } from "./store.js";
import { ThemeToggle } from "./theme.js";

function View({ route }) {
  const [first, second] = route.path;
  if (!first || first === "tenants") return html`<${Board} route=${route} />`;
  if (first === "migrations" && second) return html`<${MigrationPage} key=${second} id=${second} route=${route} />`;
  if (first === "migrations") return html`<${Migrations} route=${route} />`;
  if (first === "host-order") return html`<${HostOrder} />`;
  if (first === "leftovers") return html`<${Leftovers} />`;
  return html`<${Nowhere} />`;
}

function Nowhere() {
  useTitle("Not found");
  return html`<main class="page" id="main"><h1 tabindex="-1">There is no such page</h1><p><a href="#/">To the clouds</a>
    </p></main>`;
}

function Nav({ route }) {
  const live = useStore((s) => Object.values(s.migrations).filter(isLive).length);
  const at = (...names) => (names.includes(route.path[0] || "") ? "page" : undefined);
  return html`<nav aria-label="Main">
    <a href="#/" aria-current=${at("", "tenants")}>Clouds</a>
    <a href="#/migrations" aria-current=${at("migrations")}>Migrations${live > 0 && html` <span class="badge">${live}
      <span class="unseen"> in work</span></span>`}</a>
    <a href="#/leftovers" aria-current=${at("leftovers")}>Leftovers</a>
  </nav>`;
}

function Who() {
  const session = useStore((s) => s.session);
  return html`<div class="who"><span class="who-name" title=${`${session.name}, logged in by ${session.via}`}>
    ${session.name}</span>
    <span class="who-role">${session.role}</span>
    <button class="plain icon" onClick=${logOut} aria-label="Log out" title="Log out"><${Icon} name="out" />
      </button></div>`;
}

function Banners() {
  const connection = useStore((s) => s.connection);
  const session = useStore((s) => s.session);
  return html`<aside aria-label="Notices">${
    connection === "offline" &&
    html`<p class="banner warn" data-testid="offline-banner"><${Icon} name="warn" />
      <span><b>Offline.</b> No news from Pumphouse: what is shown may be old. What runs there goes on; this page connects again by itself.</span></p>`
  }
    ${session.role === "viewer" && html`<p class="banner quiet"><${Icon} name="info" />
      <span>You may look: starting and changing migrations takes the role operator.</span></p>`}</aside>`;
}

function Toasts() {
  const toasts = useStore((s) => s.toasts);
  return html`<aside class="toasts" aria-label="Messages">${toasts.map(
    (
      one,
    ) => html`<div key=${one.id} class=${`toast ${one.tone || ""}`} role=${one.tone === "bad" ? "alert" : undefined}>
    <span>${one.text}</span>${one.href && html` <a href=${one.href} onClick=${() => dismiss(one.id)}>${one.link}</a>`}
    <button class="plain icon" aria-label="Dismiss" onClick=${() => dismiss(one.id)}><${Icon} name="cross" />
      </button></div>`,
  )}</aside>`;
}

export function Shell() {
  const route = useRoute();
  const epoch = useStore((s) => s.epoch);
  const clouds = useLoad(checkClouds, [epoch]);
  const live = useLoad(readLive, [epoch]);
  useEffect(() => {
    if (clouds.data) set({ clouds: Object.fromEntries(clouds.data.items.map((cloud) => [cloud.role, cloud])) });
    set({ cloudsError: clouds.error });
  }, [clouds.data, clouds.error]);
  useEffect(() => {
    // Nothing is known of what runs while even that fails: the next try is not far.
    if (!live.error) return undefined;
    const timer = setTimeout(live.reload, 5000);
    return () => clearTimeout(timer);
  }, [live.error]);

  const skip = (event) => {
    // The address is the route: a plain "#main" would leave the view.
    event.preventDefault();
    document.querySelector("main h1, main h2")?.focus();
  };
  return html`<a class="skip" href="#main" onClick=${skip}>To the content</a>
    <header class="top"><a class="brand" href="#/"><${Mark} /><span>Pumphouse</span></a><${Nav} route=${route} />
      <div class="top-end"><${ThemeToggle} /><${Who} /></div></header>
    <${Banners} />
    <${View} route=${route} />
    <${PlanSheet} route=${route} />
    <${Toasts} />`;
}
