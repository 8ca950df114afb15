// The map on its canvas: field, degrees, lines, stations, names, from the lowest to the uppermost.
(function (report) {
  const NAMED = 250; // in view: more are named by the pointer alone
  const LONGEST = 18;
  const COLOURS = ["sea", "coast", "border", "polygon", "graticule", "ink", "paper", "focus"];

  report.MapPainter = class {
    constructor(canvas, map, view) {
      this.context = canvas.getContext("2d");
      this.map = map;
      this.view = view;
    }

    paint({ ratio, layer, chosen }) {
      Object.assign(this, { ratio, layer, chosen });
      const { context } = this;
      this.colours = Object.fromEntries(COLOURS.map((name) => [name, report.colour(`--${name}`)]));
      context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      context.fillStyle = this.colours.sea;
      context.fillRect(0, 0, this.view.width, this.view.height);
      this.paintField(context);
      const lines = report.graticule(this.map.projected, this.view);
      this.paintGraticule(context, lines);
      this.paintLines(context);
      this.paintStations(context);
      this.paintMargins(context, lines);
    }

    paintField(context) {
      const { layer, view } = this;
      if (layer.isEmpty || !layer.scale) return;
      layer.picture ||= report.fieldPicture(this.map.field, layer.values, layer.scale, this.map.projected);
      if (!layer.picture) return;
      const { canvas, west, north, width, height } = layer.picture;
      const [x, y] = view.pixel(west, north);
      context.imageSmoothingEnabled = true;
      context.drawImage(canvas, x, y, width * view.scale, height * view.scale);
    }

    paintGraticule(context, lines) {
      context.strokeStyle = this.colours.graticule;
      context.lineWidth = 0.6;
      context.beginPath();
      for (const { points } of lines) {
        let before = null;
        for (const [x, y] of points) {
          const isNew = !Number.isFinite(x) || !before || Math.abs(x - before[0]) > this.view.width * 2;
          if (isNew) context.moveTo(x, y); else context.lineTo(x, y);
          before = Number.isFinite(x) ? [x, y] : null;
        }
      }
      context.stroke();
    }

    paintLines(context) {
      const { view, ratio } = this;
      const [x, y] = view.pixel(0, 0);
      context.save();
      context.setTransform(ratio * view.scale, 0, 0, -ratio * view.scale, ratio * x, ratio * y);
      context.lineJoin = "round";
      // A casing of the ground's colour: lines are seen on light and on dark fields.
      context.globalAlpha = 0.5;
      context.strokeStyle = this.colours.paper;
      for (const { kind, path } of this.map.paths) {
        context.lineWidth = (kind === "border" ? 2 : 3) / view.scale;
        if (!this.layer.isEmpty) context.stroke(path);
      }
      context.globalAlpha = 1;
      for (const { kind, path } of this.map.paths) {
        context.strokeStyle = this.colours[kind];
        context.lineWidth = { coast: 1.1, border: 0.8, polygon: 1.6 }[kind] / view.scale;
        context.setLineDash(kind === "border" ? [4 / view.scale, 2.5 / view.scale] : []);
        context.stroke(path);
      }
      context.restore();
    }

    // How large a station is drawn: small where they are many.
    get radius() { return this.map.stations.length > 300 ? 4 : 5.5; }

    paintStations(context) {
      const { map, view, radius } = this;
      const seen = map.places.map(([x, y], k) => [...view.pixel(x, y), k])
        .filter(([px, py]) => px > -20 && py > -20 && px < view.width + 20 && py < view.height + 20);
      for (const [px, py, k] of seen) this.paintStation(context, px, py, k, radius);
      if (seen.length <= NAMED) this.paintNames(context, seen);
      if (this.chosen >= 0) {
        const [px, py] = view.pixel(...map.places[this.chosen]);
        this.paintStation(context, px, py, this.chosen, radius + 2);
        context.beginPath();
        context.arc(px, py, radius + 6, 0, 2 * Math.PI);
        context.strokeStyle = this.colours.paper;
        context.lineWidth = 5;
        context.stroke();
        context.strokeStyle = this.colours.focus;
        context.lineWidth = 2.5;
        context.stroke();
      }
    }

    paintStation(context, px, py, k, radius) {
      const { value } = this.map.stations[k];
      const isKnown = value !== null && this.map.colours;
      context.beginPath();
      context.arc(px, py, radius + 2, 0, 2 * Math.PI);
      context.fillStyle = this.colours.paper;
      context.fill();
      context.beginPath();
      context.arc(px, py, radius, 0, 2 * Math.PI);
      // A station of no value is hollow; so are all where the field shows its error.
      context.fillStyle = isKnown && !this.layer.isError ? this.map.colours.css(value) : this.colours.paper;
      context.fill();
      context.strokeStyle = this.colours.ink;
      context.lineWidth = 1.2;
      context.stroke();
      if (isKnown) return;
      const arm = radius * 0.5;
      context.beginPath();
      context.moveTo(px - arm, py - arm); context.lineTo(px + arm, py + arm);
      context.moveTo(px - arm, py + arm); context.lineTo(px + arm, py - arm);
      context.stroke();
    }

    paintNames(context, seen) {
      context.font = "12px system-ui, sans-serif";
      context.textBaseline = "middle";
      context.lineJoin = "round";
      const taken = seen.map(([px, py]) => [px - 7, py - 7, px + 7, py + 7]);
      const isFree = (box) => !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
      // The chosen station is named whatever else is.
      const order = [...seen].sort((a, b) => (b[2] === this.chosen) - (a[2] === this.chosen));
      for (const [px, py, k] of order) {
        const full = this.map.stations[k].name;
        const name = full.length > LONGEST ? `${full.slice(0, LONGEST - 1)}…` : full;
        const width = context.measureText(name).width;
        const gap = k === this.chosen ? 17 : 10;
        const sides = [[px + gap, py], [px - gap - width, py], [px - width / 2, py - gap - 5], [px - width / 2, py + gap + 5]];
        const place = sides.find(([x, y]) => isFree([x - 1, y - 7, x + width + 1, y + 7])) || (k === this.chosen ? sides[0] : null);
        if (!place) continue;
        const [x, y] = place;
        taken.push([x - 1, y - 7, x + width + 1, y + 7]);
        context.strokeStyle = this.colours.paper;
        context.lineWidth = 3;
        context.strokeText(name, x, y);
        context.fillStyle = this.colours.ink;
        context.fillText(name, x, y);
      }
    }

    // Names of degrees, and the scale bar, over everything.
    paintMargins(context, lines) {
      const { view, colours } = this;
      context.font = "11px system-ui, sans-serif";
      context.lineJoin = "round";
      context.strokeStyle = colours.paper;
      context.fillStyle = colours.ink;
      for (const { text, at, isMeridian } of lines) {
        if (!at) continue;
        context.textAlign = isMeridian ? "center" : "left";
        context.textBaseline = isMeridian ? "bottom" : "middle";
        const [x, y] = isMeridian ? [at[0], Math.min(at[1] + 16, view.height - 3)] : [Math.max(4, at[0] - 40), at[1]];
        context.lineWidth = 3;
        context.strokeText(text, x, y);
        context.fillText(text, x, y);
      }
      const { pixels, text } = report.scaleBar(view);
      const [right, top] = [view.width - 12, 24];
      for (const [colour, width] of [[colours.paper, 5], [colours.ink, 2]]) {
        context.beginPath();
        context.moveTo(right - pixels, top - 5); context.lineTo(right - pixels, top); context.lineTo(right, top); context.lineTo(right, top - 5);
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.stroke();
      }
      context.textAlign = "center";
      context.textBaseline = "bottom";
      context.strokeStyle = colours.paper;
      context.lineWidth = 3;
      context.strokeText(text, right - pixels / 2, top - 4);
      context.fillText(text, right - pixels / 2, top - 4);
      context.textAlign = "left";
    }
  };
})(window.stationday);
