// Where the sheet stands in the window: dragged, zoomed, put back.
(function (report) {
  const [LEAST, MOST] = [0.7, 400];

  report.MapView = class {
    constructor(extent) {
      this.extent = extent;
      this.zoom = 1;
      this.middle = [(extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2];
    }

    resize(width, height) {
      const [west, south, east, north] = this.extent;
      this.width = width;
      this.height = height;
      this.base = Math.min(width / (east - west), height / (north - south));
    }

    get scale() { return this.base * this.zoom; }

    pixel(x, y) { return [this.width / 2 + (x - this.middle[0]) * this.scale, this.height / 2 - (y - this.middle[1]) * this.scale]; }

    sheet(px, py) { return [this.middle[0] + (px - this.width / 2) / this.scale, this.middle[1] - (py - this.height / 2) / this.scale]; }

    pan(dx, dy) {
      const [west, south, east, north] = this.extent;
      const clip = (value, low, high) => Math.min(Math.max(value, low), high);
      this.middle = [clip(this.middle[0] - dx / this.scale, west, east), clip(this.middle[1] + dy / this.scale, south, north)];
    }

    get isSmallest() { return this.zoom <= LEAST * 1.001; }

    // What lies under a pixel stays there.
    zoomAt(factor, px, py) {
      const [x, y] = this.sheet(px, py);
      this.zoom = Math.min(Math.max(this.zoom * factor, LEAST), MOST);
      const [nowX, nowY] = this.pixel(x, y);
      this.pan(px - nowX, py - nowY);
    }

    home() {
      this.zoom = 1;
      this.middle = [(this.extent[0] + this.extent[2]) / 2, (this.extent[1] + this.extent[3]) / 2];
    }
  };
})(window.stationday);
