// What every page has: colours by choice, errors that are seen, paper.
"use strict";
window.stationday = { widgets: {}, redraws: [] };

(function (report) {
  const root = document.documentElement;

  // An error of a script is told: a chart that is silently missing would be worse.
  report.fail = function (what, error) {
    let banner = document.getElementById("script-error");
    if (!banner) {
      banner = report.make("div", { id: "script-error", class: "note warning", role: "alert" });
      document.getElementById("main").prepend(banner);
    }
    const said = error && error.message ? error.message : String(error);
    banner.append(report.make("p", {}, `A script of this page failed (${what}): ${said}. Figures that stand still are complete.`));
  };
  window.addEventListener("error", (event) => {
    // Browsers say so where one layout was not enough; the next one is.
    if (!String(event.message).startsWith("ResizeObserver loop")) report.fail("page", event.error || event.message);
  });
  window.addEventListener("unhandledrejection", (event) => report.fail("page", event.reason));

  const SVG = "http://www.w3.org/2000/svg";

  function filled(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      node.setAttribute(name, value === true ? "" : value);
    }
    // Text goes in as text, never as HTML.
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  report.make = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
  report.draw = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

  let counter = 0;
  report.newId = (stem) => `${stem}-s${++counter}`;

  // A colour of the page, as it is now.
  report.colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  report.redraw = () => report.redraws.forEach((redraw) => redraw());

  // ---- light, dark, or as the system has it

  const KEY = "stationday-colours";

  function stored(value) {
    // A page from a disk may have no storage.
    try {
      if (value === undefined) return localStorage.getItem(KEY);
      localStorage.setItem(KEY, value);
    } catch {
      return null;
    }
    return value;
  }

  function setTheme(value) {
    if (value === "light" || value === "dark") root.dataset.theme = value;
    else delete root.dataset.theme;
    report.redraw();
  }

  function addSwitch() {
    const choice = report.make("select", { id: "colours" });
    for (const [value, name] of [["", "as the system"], ["light", "light"], ["dark", "dark"]]) {
      choice.append(report.make("option", { value }, name));
    }
    choice.value = ["light", "dark"].includes(stored()) ? stored() : "";
    choice.addEventListener("change", () => {
      stored(choice.value);
      setTheme(choice.value);
    });
    document.querySelector(".switches").append(report.make("label", { for: "colours" }, "Colours "), choice);
    setTheme(choice.value);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", report.redraw);
  }

  // ---- paper is white, and nothing folds on it

  function addPrinting() {
    let before = null;
    window.addEventListener("beforeprint", () => {
      const closed = [...document.querySelectorAll("details:not([open]):not(.screen-only)")];
      before = { theme: root.dataset.theme, closed };
      closed.forEach((each) => { each.open = true; });
      root.dataset.printing = "yes";
      setTheme("light");
    });
    window.addEventListener("afterprint", () => {
      if (!before) return;
      before.closed.forEach((each) => { each.open = false; });
      delete root.dataset.printing;
      setTheme(before.theme);
      before = null;
    });
  }

  report.startPage = function () {
    addSwitch();
    addPrinting();
    root.classList.add("scripted");
  };
})(window.stationday);
