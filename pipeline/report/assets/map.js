// The map: a canvas that is dragged, pinched, wheeled and driven by keys.
(function (report) {
  const { make } = report;

  report.widgets.map = function (host, payload) {
    const store = report.openStore(payload.store);
    const map = { ...payload, store, colours: payload.scale && report.colourScale(payload.scale), projected: report.projection(payload.projection) };
    map.places = map.stations.map((station) => map.projected.forward(station.longitude, station.latitude));
    map.paths = report.linePaths(map.lines, store, map.projected);
    map.layers = layersOf(map);
    new Widget(host, map);
  };

  // ---- layers: the field's values, its error, nothing

  function layersOf(map) {
    const label = map.unit ? `${map.quantity} (${map.unit})` : map.quantity;
    const layers = (map.field ? map.field.layers : []).map((each, k) => {
      const scale = k === 0 ? map.colours : each.scale && report.colourScale(each.scale);
      const values = map.store.array(each.values);
      return { name: each.name, scale, values, isError: k > 0, isEmpty: each.isEmpty, picture: null,
        reader: report.fieldReader(map.field, values), label: k === 0 ? label : `${each.name}${map.unit ? ` (${map.unit})` : ""}` };
    });
    return [...layers, { name: "Stations alone", scale: map.colours, label, isEmpty: true, isError: false }];
  }

  class Widget {
    constructor(host, map) {
      this.map = map;
      this.view = new report.MapView(map.extent);
      this.layer = map.layers.find((each) => !each.isEmpty) || map.layers.at(-1);
      this.chosen = -1;
      this.pinned = -1;
      this.pointers = new Map();
      this.build(host);
      this.painter = new report.MapPainter(this.canvas, map, this.view);
      this.listen();
      report.redraws.push(() => this.draw());
      this.width = 0;
      new ResizeObserver(() => requestAnimationFrame(() => this.resize())).observe(this.stage);
      this.resize();
    }

    // ---- parts

    build(host) {
      const { map } = this;
      this.panel = report.stationPanel(map);
      this.list = report.stationList(map, { choose: (k) => this.choose(k, true, true), pin: (k) => this.pin(k, true) });
      const helpId = report.newId("help");
      this.canvas = make("canvas", { tabindex: 0, role: "application", "aria-roledescription": "map", "aria-label": map.spoken, "aria-describedby": helpId });
      this.tip = make("div", { class: "tip", hidden: true });
      this.stage = make("div", { class: "stage" }, this.canvas, this.tip);
      this.readout = make("p", { class: "readout" }, "\u00a0");
      this.live = make("p", { class: "spoken", "aria-live": "polite" });
      this.bar = make("div", { class: "bar" });
      const help = make("p", { class: "quiet help", id: helpId }, "Drag or use the arrow keys to move the map; wheel, + and − zoom, 0 shows all. The list beside it holds all stations.");
      const sheet = make("div", { class: "map-sheet" }, this.tools(), this.stage, make("div", { class: "under" }, this.bar, this.readout), help, this.live);
      host.append(make("div", { class: "map-body" }, sheet, make("div", { class: "map-side" }, ...this.list.nodes, this.panel.node)));
      this.showBar();
    }

    tools() {
      const tools = make("div", { class: "tools" });
      const layers = this.map.layers;
      if (layers.length > 1) {
        const name = report.newId("layer");
        const group = make("fieldset", { class: "layers" }, make("legend", {}, "Field"));
        layers.forEach((layer) => {
          const id = report.newId("layer");
          const isOff = layer.isEmpty && Boolean(layer.reader);
          const radio = make("input", { type: "radio", name, id, checked: layer === this.layer, disabled: isOff });
          radio.addEventListener("change", () => { this.layer = layer; this.showBar(); this.draw(); });
          group.append(make("span", { class: "choice" }, radio, make("label", { for: id }, isOff ? `${layer.name} (no values)` : layer.name)));
        });
        tools.append(group);
      }
      const group = make("div", { class: "zoom", role: "group", "aria-label": "Zoom" });
      for (const [text, label, act] of [["+", "Zoom in", () => this.zoom(1.5)], ["−", "Zoom out", () => this.zoom(1 / 1.5)], ["All", "All: show the whole map", () => { this.view.home(); this.draw(); }]]) {
        const button = make("button", { type: "button", "aria-label": label, title: label }, text);
        button.addEventListener("click", act);
        group.append(button);
      }
      tools.append(group);
      return tools;
    }

    showBar() {
      const { scale, label } = this.layer;
      this.bar.replaceChildren(scale ? report.colourBar(scale, label) : make("p", { class: "empty" }, `${label}: there are no values.`));
    }

    // ---- what a hand does

    listen() {
      const { canvas } = this;
      canvas.addEventListener("pointerdown", (event) => this.down(event));
      canvas.addEventListener("pointermove", (event) => this.move(event));
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
      canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; this.readout.textContent = "\u00a0"; });
      canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      canvas.addEventListener("keydown", (event) => this.key(event));
      this.scrolled = -Infinity;
      window.addEventListener("scroll", () => { this.scrolled = performance.now(); }, { passive: true });
    }

    place(event) {
      const box = this.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }

    down(event) {
      this.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.place(event));
      this.dragged = 0;
    }

    move(event) {
      const now = this.place(event);
      const before = this.pointers.get(event.pointerId);
      if (!before) return this.hover(now, event.pointerType);
      const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      if (others.length) {
        const gap = ([x, y]) => Math.hypot(x - others[0][0], y - others[0][1]) || 1;
        this.view.zoomAt(gap(now) / gap(before), (now[0] + others[0][0]) / 2, (now[1] + others[0][1]) / 2);
        this.view.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
        this.dragged = 100;
      } else {
        this.dragged += Math.hypot(now[0] - before[0], now[1] - before[1]);
        if (this.dragged > 4) this.view.pan(now[0] - before[0], now[1] - before[1]);
      }
      this.pointers.set(event.pointerId, now);
      this.tip.hidden = true;
      this.draw();
    }

    up(event) {
      const isClick = this.pointers.has(event.pointerId) && this.pointers.size === 1 && this.dragged <= 4 && event.type === "pointerup";
      this.pointers.delete(event.pointerId);
      if (!isClick) return;
      const found = this.stationAt(this.place(event), event.pointerType === "touch" ? 22 : 12);
      if (found >= 0) this.pin(found, false);
      else this.unpin();
    }

    hover([px, py], kind) {
      const found = this.stationAt([px, py], 12);
      this.canvas.classList.toggle("over", found >= 0);
      this.readout.textContent = this.reading(px, py);
      this.tip.hidden = found < 0;
      if (found >= 0) {
        this.tip.textContent = report.stationText(this.map, this.map.stations[found]);
        const [x, y] = this.view.pixel(...this.map.places[found]);
        const isRight = x > this.view.width / 2;
        this.tip.style.left = isRight ? "auto" : `${x + 12}px`;
        this.tip.style.right = isRight ? `${this.view.width - x + 12}px` : "auto";
        this.tip.style.top = `${Math.max(0, y - 14)}px`;
        if (kind !== "touch" && this.pinned < 0 && found !== this.chosen) this.choose(found, false, false);
      }
    }

    wheel(event) {
      // A page that is being scrolled over the map goes on scrolling, and so it does where nothing is left to zoom.
      const isScrolling = performance.now() - this.scrolled < 250 && !event.ctrlKey;
      if (isScrolling || (event.deltaY > 0 && this.view.isSmallest)) return;
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : 1;
      const [px, py] = this.place(event);
      this.view.zoomAt(Math.exp(-Math.max(-100, Math.min(100, event.deltaY * unit)) * (event.ctrlKey ? 0.01 : 0.002)), px, py);
      this.draw();
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const far = event.shiftKey ? 200 : 50;
      const pans = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
      if (event.key in pans) this.view.pan(...pans[event.key]);
      else if (event.key === "+" || event.key === "=") this.view.zoomAt(1.5, this.view.width / 2, this.view.height / 2);
      else if (event.key === "-" || event.key === "_") this.view.zoomAt(1 / 1.5, this.view.width / 2, this.view.height / 2);
      else if (event.key === "0" || event.key === "Home") this.view.home();
      else if (event.key === "Escape") return this.unpin();
      else return;
      event.preventDefault();
      this.draw();
      const said = this.reading(this.view.width / 2, this.view.height / 2);
      this.readout.textContent = said;
      this.live.textContent = `Middle of the map: ${said}`;
    }

    zoom(factor) {
      this.view.zoomAt(factor, this.view.width / 2, this.view.height / 2);
      this.draw();
    }

    // What the map says at a pixel: the place, the field and its error.
    reading(px, py) {
      const [lon, lat] = this.map.projected.inverse(...this.view.sheet(px, py));
      if (!Number.isFinite(lon)) return "off the map";
      const said = [report.placeText(lon, lat, 2)];
      for (const layer of this.map.layers.filter((each) => each.reader && !each.isEmpty)) {
        const value = layer.reader.nearest(lon, lat);
        if (Number.isFinite(value)) said.push(`${layer.isError ? "±" : layer.name} ${report.numberText(value, this.map.digits)}`);
      }
      const unit = said.length > 1 && this.map.unit ? ` ${this.map.unit}` : "";
      return [said[0], said.slice(1).join(" ")].filter(Boolean).join(" · ") + unit;
    }

    stationAt([px, py], reach) {
      let [best, found] = [reach, -1];
      this.map.places.forEach(([x, y], k) => {
        const [sx, sy] = this.view.pixel(x, y);
        const gap = Math.hypot(sx - px, sy - py);
        if (gap <= best) [best, found] = [gap, k];
      });
      return found;
    }

    // ---- the chosen station

    choose(number, isSpoken, isMoved) {
      this.chosen = number;
      if (isMoved && this.pinned >= 0) this.pinned = -1;
      this.list.mark(number);
      this.panel.show(number, this.pinned === number);
      const station = this.map.stations[number];
      if (isSpoken) this.live.textContent = `${report.stationText(this.map, station)}; ${station.place}; ${[...station.facts].map((pair) => pair.join(" ")).join("; ")}`;
      if (isMoved) this.bringIn(number);
      this.draw();
    }

    pin(number, isFromList) {
      this.pinned = this.pinned === number ? -1 : number;
      this.choose(number, true, false);
      if (isFromList) this.bringIn(number);
      this.draw();
    }

    unpin() {
      this.pinned = -1;
      if (this.chosen >= 0) this.panel.show(this.chosen, false);
      this.draw();
    }

    bringIn(number) {
      const [px, py] = this.view.pixel(...this.map.places[number]);
      const room = 24;
      if (px < room || py < room || px > this.view.width - room || py > this.view.height - room) this.view.pan(this.view.width / 2 - px, this.view.height / 2 - py);
    }

    // ---- drawing

    resize() {
      const width = Math.round(this.stage.clientWidth);
      if (!width || width === this.width) return;
      this.width = width;
      const [west, south, east, north] = this.map.extent;
      const tallest = Math.max(320, Math.min(720, window.innerHeight * 0.8, width));
      const height = Math.round(Math.min(Math.max((width * (north - south)) / (east - west), Math.min(320, width)), tallest));
      this.ratio = Math.min(window.devicePixelRatio || 1, 2);
      this.canvas.width = width * this.ratio;
      this.canvas.height = height * this.ratio;
      this.view.resize(width, height);
      this.paint();
    }

    draw() {
      // At most once a frame, however many events come; on paper there are no frames to wait for.
      this.isStale = true;
      requestAnimationFrame(() => { if (this.isStale) this.paint(); });
      if (document.documentElement.dataset.printing) this.paint();
    }

    paint() {
      this.isStale = false;
      this.painter.paint({ ratio: this.ratio, layer: this.layer, chosen: this.chosen });
    }
  }
})(window.stationday);
