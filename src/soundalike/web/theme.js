/* Light, dark, or as the system has it.

   A classic script in the head: it runs before anything is painted, so that nobody who chose dark sees a
   flash of white. The choice is the attribute data-theme of <html>, from which the style sheets' color-scheme
   follows; without one the system decides. */

(function () {
  "use strict";
  const NAMES = { system: "as the system has it", light: "light", dark: "dark" };
  const ORDER = ["system", "light", "dark"];
  const root = document.documentElement;

  function chosen() {
    try {
      const kept = localStorage.getItem("theme");
      return ORDER.includes(kept) ? kept : "system";
    } catch {
      return "system"; // storage may be forbidden
    }
  }

  function apply(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  }

  function label(button, theme) {
    button.dataset.shows = theme;
    button.title = "Appearance: " + NAMES[theme];
    button.setAttribute("aria-label", button.title);
  }

  apply(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    label(button, chosen());
    button.addEventListener("click", () => {
      const theme = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
      try {
        localStorage.setItem("theme", theme);
      } catch {
        /* then it holds until the page is left */
      }
      apply(theme);
      label(button, theme);
      document.dispatchEvent(new Event("themechange"));
    });
  });
})();
