// Loaded before the page is painted, and not as a module, so that a chosen theme does not flash in.
(() => {
  try {
    const theme = localStorage.getItem("pumphouse.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden: then the system's theme it is.
  }
})();
