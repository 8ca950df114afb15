// The stations beside the map: a list to walk through, and a panel with what is known of one.
(function (report) {
  const { make, draw } = report;

  function valueText(map, station) {
    const text = report.numberText(station.value, map.digits);
    const error = station.error === null || station.value === null ? "" : ` ± ${report.numberText(station.error, map.digits)}`;
    return station.value === null ? "no value" : `${text}${error}${map.unit ? ` ${map.unit}` : ""}`;
  }
  report.stationText = (map, station) => `${station.name}: ${map.quantity} ${valueText(map, station)}`;

  function swatch(map, station) {
    const fill = station.value !== null && map.colours ? map.colours.css(station.value) : "none";
    return draw("svg", { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" }, draw("circle", { class: "swatch-ring", cx: 7, cy: 7, r: 5.5, fill }));
  }

  // ---- the list

  report.stationList = function (map, { choose, pin }) {
    const [filterId, orderId, listId] = ["filter", "order", "stations"].map(report.newId);
    const filter = make("input", { id: filterId, type: "search", autocomplete: "off", spellcheck: "false" });
    const order = make("select", { id: orderId }, make("option", { value: "name" }, "by name"),
      make("option", { value: "high" }, `by ${map.quantity}, highest first`), make("option", { value: "low" }, `by ${map.quantity}, lowest first`));
    const list = make("ul", { id: listId, role: "listbox", tabindex: 0, "aria-label": `Stations, ${map.stations.length}` });
    const none = make("p", { class: "empty", hidden: true }, map.stations.length ? "No station has such a name." : "There are no stations.");
    const options = map.stations.map((station, number) => make("li", { id: `${listId}-${number}`, role: "option", "aria-selected": "false" },
      swatch(map, station), make("span", { class: "name" }, station.name), make("span", { class: "value" }, valueText(map, station))));
    let shown = [];
    let chosen = -1;
    const collator = new Intl.Collator(undefined, { numeric: true });
    const valueOf = (k, missing) => (map.stations[k].value === null ? missing : map.stations[k].value);
    const orders = {
      name: (a, b) => collator.compare(map.stations[a].name, map.stations[b].name),
      high: (a, b) => valueOf(b, -Infinity) - valueOf(a, -Infinity) || a - b,
      low: (a, b) => valueOf(a, Infinity) - valueOf(b, Infinity) || a - b,
    };

    function fill() {
      const word = filter.value.trim().toLowerCase();
      shown = map.stations.map((_, k) => k).filter((k) => map.stations[k].name.toLowerCase().includes(word)).sort(orders[order.value]);
      list.replaceChildren(...shown.map((k) => options[k]));
      list.hidden = !shown.length;
      none.hidden = shown.length > 0;
    }

    function mark(number) {
      if (chosen >= 0) options[chosen].setAttribute("aria-selected", "false");
      chosen = number;
      if (number < 0) return list.removeAttribute("aria-activedescendant");
      options[number].setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", options[number].id);
      // Within the list alone: the page stays where it is.
      const [top, bottom] = [options[number].offsetTop, options[number].offsetTop + options[number].offsetHeight];
      if (top < list.scrollTop) list.scrollTop = top;
      else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
    }

    function walk(event) {
      const at = shown.indexOf(chosen);
      const moves = { ArrowDown: at + 1, ArrowUp: at < 0 ? shown.length - 1 : at - 1, PageDown: at + 8, PageUp: at - 8, Home: 0, End: shown.length - 1 };
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); if (chosen >= 0) pin(chosen); return; }
      if (!(event.key in moves) || !shown.length) return;
      event.preventDefault();
      choose(shown[Math.min(Math.max(moves[event.key], 0), shown.length - 1)]);
    }

    list.addEventListener("keydown", walk);
    list.addEventListener("focus", () => { if (chosen < 0 && shown.length) choose(shown[0]); });
    list.addEventListener("click", (event) => {
      const option = event.target.closest("li");
      if (option) pin(options.indexOf(option));
    });
    filter.addEventListener("input", fill);
    order.addEventListener("change", fill);
    fill();
    const head = make("div", { class: "list-head" }, make("label", { for: filterId }, "Find a station "), filter, make("label", { for: orderId }, "Order "), order);
    return { nodes: [head, list, none], mark };
  };

  // ---- the panel

  report.stationPanel = function (map) {
    const heading = make("h3", {});
    const body = make("div", { class: "panel-body" });
    const panel = make("section", { class: "panel", "aria-label": `The chosen station: ${map.title}` }, heading, body);
    let charts = [];

    function clear() {
      charts.forEach((chart) => chart.destroy());
      charts = [];
      heading.textContent = map.stations.length ? "No station is chosen" : "There are no stations";
      const said = "Point at a station, or walk through the list with the arrow keys. A click or Enter keeps a station; Escape lets it go.";
      body.replaceChildren(make("p", { class: "quiet" }, map.stations.length ? said : "The map shows what else there is."));
    }

    function show(number, isPinned) {
      const station = map.stations[number];
      charts.forEach((chart) => chart.destroy());
      heading.replaceChildren(make("bdi", {}, station.name), isPinned ? make("span", { class: "badge" }, "kept") : "");
      const facts = make("dl", { class: "facts" });
      for (const [name, value] of [[map.quantity, valueText(map, station)], ["Place", station.place], ...station.facts]) {
        facts.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
      }
      body.replaceChildren(facts);
      charts = map.chartTitles.map((title) => {
        const packed = station.charts.find((each) => map.store.value(each.spec).title === title);
        body.append(make("h4", {}, title));
        const host = make("div", { class: "widget" });
        body.append(host);
        if (packed) return report.chart(host, report.readChart(packed, map.store), { label: `${title} of ${station.name}` });
        host.append(make("p", { class: "empty" }, `${title}: this station has none.`));
        return { destroy() {} };
      });
      if (!map.chartTitles.length) body.append(make("p", { class: "empty" }, "There are no spectra and no history."));
    }
    clear();
    return { node: panel, show, clear };
  };
})(window.stationday);
