// Line charts: drawn anew for each width, read by pointer or keys, their series shown and hidden.
(function (report) {
  const { make, draw } = report;
  const RANKS = { band: 0, line: 1, points: 2 };

  // ---- from the page's values to series

  report.readChart = function (packed, store) {
    const spec = store.value(packed.spec);
    const numbers = [...packed.data];
    const read = (axis) => {
      const values = store.array(numbers.shift());
      return axis.kind === "log" ? values.map((value) => 10 ** value) : values;
    };
    const series = spec.series.map((each) => {
      const x = read(spec.x);
      const parts = each.kind === "band" ? [read(spec.y), read(spec.y)] : [read(spec.y)];
      return { ...each, x, parts, isShown: true };
    });
    return { ...spec, series, spoken: packed.spoken };
  };

  const colourClass = (colour) => (colour === null ? "cref" : `c${colour}`);
  const isKnown = (series, k) => series.parts.every((part) => Number.isFinite(part[k]));

  function hasValues(chart) {
    const compared = chart.series.filter((each) => each.colour !== null);
    return chart.x.limits && (compared.length ? compared : chart.series).some((each) => each.parts.some((part) => part.some(Number.isFinite)));
  }

  // ---- paths

  const px = (value) => String(Math.round(value * 10) / 10);

  function path(places) {
    let text = "";
    let length = 0;
    const close = () => { if (length === 1) text += "h0"; length = 0; };
    for (const [x, y] of places) {
      if (!Number.isFinite(x) || !Number.isFinite(y)) { close(); continue; }
      text += `${length ? "L" : "M"}${px(x)} ${px(y)}`;
      length += 1;
    }
    close();
    return text;
  }

  function linePath(series, x, y) {
    const places = [];
    const values = series.parts[0];
    for (let k = 0; k < values.length; k += 1) {
      if (series.steps && k > 0) places.push([x(series.x[k]), y(values[k - 1])]);
      places.push([x(series.x[k]), y(values[k])]);
    }
    return path(places);
  }

  function bandPath(series, x, y) {
    const [low, high] = series.parts;
    let text = "";
    for (let start = 0; start < low.length; start += 1) {
      let stop = start;
      while (stop < low.length && isKnown(series, stop)) stop += 1;
      if (stop === start) continue;
      const upper = [];
      const lower = [];
      for (let k = start; k < stop; k += 1) {
        upper.push([x(series.x[k]), y(high[k])]);
        lower.push([x(series.x[k]), y(low[k])]);
      }
      text += `${path([...upper, ...lower.reverse()])}Z`;
      start = stop;
    }
    return text;
  }

  function dotsPath(series, x, y) {
    let text = "";
    series.parts[0].forEach((value, k) => {
      if (Number.isFinite(y(value))) text += `M${px(x(series.x[k]))} ${px(y(value))}h0`;
    });
    return text;
  }

  function drawSeries(series, x, y) {
    const colour = colourClass(series.colour);
    if (series.kind === "band") return draw("path", { class: `band ${colour}`, d: bandPath(series, x, y) });
    if (series.kind === "points") return draw("path", { class: `dots ${colour}`, d: dotsPath(series, x, y) });
    return draw("path", { class: `line ${colour}${series.dashed ? " dashed" : ""}`, d: linePath(series, x, y) });
  }

  function swatch(series) {
    const kind = series.kind === "points" ? "dots" : series.kind === "band" ? "band swatch" : `line${series.dashed ? " dashed" : ""}`;
    const d = series.kind === "points" ? "M12 6h0" : "M1 6h22";
    return draw("svg", { width: 24, height: 12, "aria-hidden": "true" }, draw("path", { class: `${kind} ${colourClass(series.colour)}`, d }));
  }

  // ---- what a place of the chart says

  const axisTitle = (axis) => (axis.unit ? `${axis.label} (${axis.unit})` : axis.label);
  const withUnit = (text, axis) => (axis.unit && axis.kind !== "time" ? `${text} ${axis.unit}` : text);

  function xText(value, axis) {
    if (axis.kind === "time") return report.timeText(value);
    return withUnit(report.numberText(Number(value.toPrecision(3))), axis);
  }

  function valueText(series, k, digits, axis) {
    const texts = (series.parts.length === 2 ? series.parts : [series.parts[0]]).map((part) =>
      axis.kind === "log" ? report.numberText(Number(part[k].toPrecision(3))) : report.numberText(part[k], digits));
    return withUnit(texts.join(" to "), axis);
  }

  // ---- the widget

  report.chart = function (host, chart, { label }) {
    let hidden = null;
    let drawn = null;
    let cursor = null;
    const xs = allX(chart);
    const digits = chart.y.limits ? report.digitsOf(report.linearStep(chart.y.limits[1] - chart.y.limits[0], 300)) : 0;
    const plot = make("div", { class: "plot", tabindex: 0, role: "application", "aria-roledescription": "chart",
      "aria-label": `${label || chart.title}. ${chart.spoken || ""} Left and right arrows read its values.` });
    const tip = make("div", { class: "tip", hidden: true });
    const live = make("p", { class: "spoken", "aria-live": "polite" });
    host.append(plot);

    if (!hasValues(chart)) {
      plot.replaceWith(make("p", { class: "empty" }, `${label || chart.title}: there are no values.`));
      return { destroy() {} };
    }
    host.append(legend(chart, redraw), live, valueTable(chart, label || chart.title, digits));

    function redraw() {
      const width = Math.max(host.clientWidth, 220);
      drawn = drawPlot(chart, width);
      plot.replaceChildren(drawn.svg, tip);
      if (cursor !== null) show(cursor, false);
    }

    function show(x, isSpoken) {
      const found = readings(chart, x, drawn.x);
      if (!found.length) return hide();
      cursor = x;
      // The unit once: it may be longer than all the rest.
      const lines = found.map(({ series, k }) => [series, `${series.name} ${valueText(series, k, digits, { kind: chart.y.kind })}`]);
      const head = xText(found[0].series.x[found[0].k], chart.x);
      tip.replaceChildren(make("strong", {}, head), make("span", { class: "quiet" }, chart.y.unit), ...lines.map(([series, text]) => make("span", { class: `of ${colourClass(series.colour)}` }, text)));
      tip.hidden = false;
      const place = drawn.x(found[0].series.x[found[0].k]);
      drawn.guide.setAttribute("d", `M${px(place)} ${drawn.top}V${drawn.bottom}`);
      const isRight = place > drawn.width / 2;
      tip.style.left = isRight ? "auto" : `${place + 10}px`;
      tip.style.right = isRight ? `${drawn.width - place + 10}px` : "auto";
      if (isSpoken) live.textContent = [head, ...lines.map((line) => line[1]), chart.y.unit].filter(Boolean).join("; ");
    }

    function hide() {
      cursor = null;
      tip.hidden = true;
      if (drawn) drawn.guide.setAttribute("d", "");
    }

    function step(event) {
      const jump = event.shiftKey ? 10 : 1;
      const at = cursor === null ? -1 : report.nearest(xs, cursor);
      const moves = { ArrowRight: at < 0 ? 0 : at + jump, ArrowLeft: at < 0 ? xs.length - 1 : at - jump, Home: 0, End: xs.length - 1 };
      if (event.key === "Escape") return hide();
      if (!(event.key in moves)) return;
      event.preventDefault();
      show(xs[Math.min(Math.max(moves[event.key], 0), xs.length - 1)], true);
    }

    plot.addEventListener("keydown", step);
    plot.addEventListener("blur", hide);
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      const at = event.clientX - box.left;
      if (at < drawn.left - 8 || at > drawn.right + 8) return hide();
      show(xs[report.nearest(xs, drawn.x.inverse(at))], false);
    });
    const observer = new ResizeObserver(() => requestAnimationFrame(() => {
      if (host.clientWidth !== hidden) { hidden = host.clientWidth; redraw(); }
    }));
    redraw();
    observer.observe(host);
    return { destroy: () => observer.disconnect() };
  };

  // Every x at which any series has a value, rising.
  function allX(chart) {
    const found = new Set();
    for (const series of chart.series.filter((each) => each.colour !== null)) {
      series.x.forEach((x, k) => { if (isKnown(series, k)) found.add(x); });
    }
    if (!found.size) chart.series.forEach((series) => series.x.forEach((x) => found.add(x)));
    return Float64Array.from(found).sort();
  }

  // The series that have a value within a few pixels of a place, each with its number.
  function readings(chart, x, scale) {
    const found = [];
    for (const series of chart.series.filter((each) => each.isShown)) {
      const k = report.nearest(series.x, x);
      if (k < 0 || !isKnown(series, k)) continue;
      const gap = Math.abs(scale(series.x[k]) - scale(x));
      if (gap < (series.kind === "points" ? 1.5 : 6)) found.push({ series, k, gap });
    }
    const exact = found.findIndex((each) => each.gap === 0);
    // The heading is the x that was asked for, not that of a neighbour.
    if (exact > 0) found.unshift(...found.splice(exact, 1));
    return found;
  }

  function drawPlot(chart, width) {
    const isNarrow = width < 480;
    const [left, right, top] = [isNarrow ? 52 : 62, width - 14, 12];
    const bottom = chart.height - 42;
    const x = report.scale(chart.x, chart.x.limits, left, right);
    const y = report.scale(chart.y, chart.y.limits, bottom, top);
    const svg = draw("svg", { viewBox: `0 0 ${width} ${chart.height}`, width, height: chart.height, "aria-hidden": "true" });
    for (const [value, text] of report.ticks(...chart.x.limits, chart.x.kind, Math.max(2, Math.floor(width / 75)))) {
      svg.append(draw("path", { class: "grid", d: `M${px(x(value))} ${bottom}V${top}` }));
      svg.append(draw("text", { x: px(x(value)), y: bottom + 16, "text-anchor": "middle" }, text));
    }
    for (const [value, text] of report.ticks(...chart.y.limits, chart.y.kind, Math.max(2, Math.floor(chart.height / 35)))) {
      svg.append(draw("path", { class: "grid", d: `M${left} ${px(y(value))}H${right}` }));
      svg.append(draw("text", { x: left - 7, y: px(y(value) + 4), "text-anchor": "end" }, text));
    }
    const middle = (top + bottom) / 2;
    svg.append(draw("text", { x: (left + right) / 2, y: bottom + 35, "text-anchor": "middle" }, axisTitle(chart.x)));
    svg.append(draw("text", { x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, axisTitle(chart.y)));
    // A nested svg cuts off what lies outside of it.
    const inside = draw("svg", { x: left, y: top, width: right - left, height: bottom - top, viewBox: `${left} ${top} ${right - left} ${bottom - top}` });
    const shown = chart.series.filter((each) => each.isShown).sort((a, b) => RANKS[a.kind] - RANKS[b.kind]);
    inside.append(...shown.map((each) => drawSeries(each, x, y)));
    inside.append(...chart.marks.map((mark) => drawMark(mark, x, top, bottom, (left + right) / 2)));
    const guide = draw("path", { class: "guide", d: "" });
    inside.append(guide);
    svg.append(inside);
    return { svg, x, guide, left, right, top, bottom, width };
  }

  function drawMark(mark, x, top, bottom, middle) {
    const at = x(mark.x);
    const isRight = at > middle;
    return draw("g", { class: "mark" }, draw("path", { class: "mark", d: `M${px(at)} ${bottom}V${top}` }),
      draw("text", { x: px(at + (isRight ? -5 : 5)), y: top + 12, "text-anchor": isRight ? "end" : "start" }, mark.label));
  }

  function legend(chart, redraw) {
    const list = make("div", { class: "legend", role: "group", "aria-label": "Series" });
    chart.series.forEach((series) => {
      const button = make("button", { type: "button", "aria-pressed": "true" }, swatch(series), series.name);
      button.addEventListener("click", () => {
        series.isShown = !series.isShown;
        button.setAttribute("aria-pressed", String(series.isShown));
        redraw();
      });
      list.append(button);
    });
    return list;
  }

  // The values as a table, made when somebody asks for it.
  function valueTable(chart, title, digits) {
    const details = make("details", { class: "screen-only values" }, make("summary", {}, "Values as a table"));
    details.addEventListener("toggle", () => {
      if (!details.open || details.querySelector("table")) return;
      const columns = [axisTitle(chart.x), ...chart.series.map((series) => series.name)];
      const caption = make("caption", { id: report.newId("caption") }, `${title}, ${axisTitle(chart.y)}`);
      const head = make("thead", {}, make("tr", {}, ...columns.map((text) => make("th", { scope: "col", class: "number" }, text))));
      const xs = Float64Array.from(new Set(chart.series.flatMap((series) => [...series.x]))).sort();
      const body = make("tbody", {}, ...[...xs].map((x) => make("tr", {}, make("th", { scope: "row", "data-sort": x }, xText(x, chart.x)),
        ...chart.series.map((series) => {
          const k = report.nearest(series.x, x);
          const isThere = k >= 0 && series.x[k] === x && isKnown(series, k);
          return make("td", { class: "number", "data-sort": isThere ? series.parts[0][k] : "" }, isThere ? valueText(series, k, digits, { kind: chart.y.kind }) : "–");
        }))));
      const table = make("table", {}, caption, head, body);
      details.append(make("div", { class: "scroll", role: "region", tabindex: 0, "aria-labelledby": caption.id }, table));
      report.startTable(table);
    });
    return details;
  }

  report.widgets.chart = function (host, payload) {
    report.chart(host, report.readChart(payload.chart, report.openStore(payload.store)), {});
  };
})(window.stationday);
