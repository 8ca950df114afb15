// Last of all: every widget takes the place of its still picture, or leaves it where it fails.
(function (report) {
  report.startPage();
  if (report.startTables) report.startTables();
  for (const figure of document.querySelectorAll("[data-widget]")) {
    const kind = figure.dataset.widget;
    try {
      const source = document.getElementById(figure.dataset.source);
      const host = report.make("div", { class: "widget" });
      const still = figure.querySelector(".static");
      still.after(host);
      try {
        report.widgets[kind](host, JSON.parse(source.textContent), figure);
        still.hidden = true;
      } catch (error) {
        host.remove();
        throw error;
      }
    } catch (error) {
      report.fail(figure.id, error);
    }
  }
  document.documentElement.dataset.started = "yes";
})(window.stationday);
