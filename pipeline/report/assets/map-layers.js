// What lies under the stations: the field, lines, the grid of degrees, and the bars that explain them.
(function (report) {
  const { make, draw } = report;
  const EARTH_KM = 6371;
  const FINEST = 1e6; // pixels of a field's picture

  // ---- colours

  report.colourScale = function (scale) {
    const table = scale.colours.map((text) => [0, 2, 4].map((k) => parseInt(text.slice(k, k + 2), 16)));
    const last = table.length - 1;
    function rgb(value) {
      const part = Math.min(Math.max((value - scale.low) / (scale.high - scale.low), 0), 1) * last;
      const k = Math.min(Math.floor(part), last - 1);
      return table[k].map((channel, c) => Math.round(channel + (part - k) * (table[k + 1][c] - channel)));
    }
    return { ...scale, rgb, css: (value) => `rgb(${rgb(value).join(",")})` };
  };

  report.colourBar = function (scale, label) {
    const [width, left, right] = [340, 24, 316];
    const place = report.scale({ kind: "linear" }, [scale.low, scale.high], left, right);
    const ticks = report.ticks(scale.low, scale.high, "linear", 6);
    const svg = draw("svg", { viewBox: `0 0 ${width} 50`, width, height: 50, role: "img",
      "aria-label": `Colours: ${label} from ${report.numberText(scale.low)} to ${report.numberText(scale.high)}` });
    const steps = 128;
    for (let k = 0; k < steps; k += 1) {
      const value = scale.low + ((k + 0.5) / steps) * (scale.high - scale.low);
      svg.append(draw("rect", { x: left + (k * (right - left)) / steps, y: 1, width: (right - left) / steps + 0.6, height: 11, fill: scale.css(value) }));
    }
    svg.append(draw("rect", { class: "frame", x: left, y: 1, width: right - left, height: 11 }));
    for (const [value, text] of ticks) {
      svg.append(draw("path", { class: "tick", d: `M${place(value)} 12v4` }));
      svg.append(draw("text", { x: place(value), y: 28, "text-anchor": "middle" }, text));
    }
    svg.append(draw("text", { x: width / 2, y: 45, "text-anchor": "middle" }, label));
    return svg;
  };

  // ---- the field: a picture in the sheet's coordinates, made once per layer

  report.fieldReader = function (field, values) {
    const [rows, columns] = field.shape;
    const [lon0, lonStep] = field.longitude;
    const [lat0, latStep] = field.latitude;
    const middle = lon0 + (lonStep * (columns - 1)) / 2;
    function cell(longitude, latitude) {
      let turn = (longitude - middle + 180) % 360;
      if (turn < 0) turn += 360;
      return [(turn - 180 + middle - lon0) / lonStep, (latitude - lat0) / latStep];
    }
    const at = (row, column) => (row >= 0 && row < rows && column >= 0 && column < columns ? values[row * columns + column] : NaN);
    return {
      nearest(longitude, latitude) {
        const [column, row] = cell(longitude, latitude);
        return at(Math.round(row), Math.round(column));
      },
      // Between cells, but masked where the nearest one is.
      smooth(longitude, latitude) {
        const [column, row] = cell(longitude, latitude);
        if (!Number.isFinite(at(Math.round(row), Math.round(column)))) return NaN;
        const [c, r] = [Math.floor(column), Math.floor(row)];
        let [sum, weights] = [0, 0];
        for (let k = 0; k < 4; k += 1) {
          const [dc, dr] = [k & 1, k >> 1];
          const weight = (dc ? column - c : 1 - column + c) * (dr ? row - r : 1 - row + r);
          const value = at(r + dr, c + dc);
          if (Number.isFinite(value) && weight > 0) { sum += weight * value; weights += weight; }
        }
        return weights > 0 ? sum / weights : NaN;
      },
    };
  };

  // Where the field lies on the sheet.
  function fieldExtent(field, reader, projection) {
    const [rows, columns] = field.shape;
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const [lon, lat] = [field.longitude[0] + column * field.longitude[1], field.latitude[0] + row * field.latitude[1]];
        if (!Number.isFinite(reader.nearest(lon, lat))) continue;
        const [x, y] = projection.forward(lon, lat);
        if (!Number.isFinite(x)) continue;
        box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
        box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
      }
    }
    const room = Math.max(Math.abs(field.longitude[1]), Math.abs(field.latitude[1])) * (Math.PI / 180);
    return [box[0] - room, box[1] - room, box[2] + room, box[3] + room];
  }

  report.fieldPicture = function (field, values, scale, projection) {
    const reader = report.fieldReader(field, values);
    const [west, south, east, north] = fieldExtent(field, reader, projection);
    if (!(east > west)) return null;
    const step = Math.max(Math.abs(field.latitude[1]) * (Math.PI / 180) / 2, Math.sqrt(((east - west) * (north - south)) / FINEST));
    const [width, height] = [Math.max(1, Math.ceil((east - west) / step)), Math.max(1, Math.ceil((north - south) / step))];
    const canvas = make("canvas", { width, height });
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1) {
        const [lon, lat] = projection.inverse(west + (column + 0.5) * step, north - (row + 0.5) * step);
        const value = reader.smooth(lon, lat);
        if (!Number.isFinite(value)) continue;
        const at = 4 * (row * width + column);
        const [red, green, blue] = scale.rgb(value);
        image.data[at] = red; image.data[at + 1] = green; image.data[at + 2] = blue; image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
    return { canvas, west, north, width: width * step, height: height * step };
  };

  // ---- lines, one path in the sheet's coordinates for each kind

  report.linePaths = function (lines, store, projection) {
    return lines.map((each) => {
      const [lons, lats] = [store.array(each.longitude), store.array(each.latitude)];
      const path = new Path2D();
      let k = 0;
      for (const length of each.lengths) addPiece(path, lons.subarray(k, k + length), lats.subarray(k, (k += length)), projection);
      return { kind: each.kind, path };
    });
  };

  function addPiece(path, lons, lats, projection) {
    let before = NaN;
    for (let k = 0; k < lons.length; k += 1) {
      const [x, y] = projection.forward(lons[k], lats[k]);
      // A line that leaves one edge of the world comes back at the other.
      const isNew = !(Math.abs(x - before) < projection.edge);
      if (isNew) path.moveTo(x, y); else path.lineTo(x, y);
      before = x;
    }
  }

  // ---- degrees

  const GRID_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30];

  // Lines of round degrees in view, in pixels, and their names where they meet the lower or the left edge.
  report.graticule = function (projection, view) {
    const { width, height } = view;
    const corners = [];
    for (let k = 0; k <= 8; k += 1) for (let j = 0; j <= 8; j += 1) corners.push(projection.inverse(...view.sheet((width * k) / 8, (height * j) / 8)));
    const known = corners.filter(([lon]) => Number.isFinite(lon));
    if (!known.length) return [];
    const lats = known.map(([, lat]) => lat);
    let [south, north] = [Math.min(...lats), Math.max(...lats)];
    const [poleX, poleY] = [90, -90].map((lat) => view.pixel(...projection.forward(0, lat))).map(([x, y]) => x >= 0 && x <= width && y >= 0 && y <= height);
    if (poleX) north = 90;
    if (poleY) south = -90;
    const turns = known.map(([lon]) => projection.wrapped(lon));
    const isAround = poleX || poleY || Math.max(...turns) - Math.min(...turns) > 300;
    const [west, east] = isAround ? [-180, 180] : [Math.min(...turns), Math.max(...turns)];
    const step = GRID_STEPS.find((each) => (north - south) / each <= 5) || 30;
    const lonStep = GRID_STEPS.find((each) => each >= step && (east - west) / each <= 9) || 30;
    return [
      ...degreeLines(projection, view, lonStep, [west, east], [south, north], true),
      ...degreeLines(projection, view, step, [west, east], [south, north], false),
    ];
  };

  function degreeLines(projection, view, step, [west, east], [south, north], isMeridian) {
    const middle = projection.inverse(0, 0)[0];
    const lines = [];
    const [from, to] = isMeridian ? [middle + west - step, middle + east + step] : [south - step, north + step];
    const digits = report.digitsOf(step);
    const seen = new Set();
    for (let k = Math.ceil(from / step); k <= Math.floor(to / step); k += 1) {
      const value = k * step;
      const name = isMeridian ? ((value + 540) % 360) - 180 : value;
      if ((!isMeridian && Math.abs(value) >= 90) || seen.has(name.toFixed(digits))) continue;
      seen.add(name.toFixed(digits));
      const points = [];
      for (let j = 0; j <= 60; j += 1) {
        const along = isMeridian ? Math.max(-90, south - step) + (j / 60) * (Math.min(90, north + step) - Math.max(-90, south - step)) : middle + west - 1e-9 + (j / 60) * (east - west);
        const [x, y] = isMeridian ? projection.forward(value, along) : projection.forward(along, value);
        points.push(view.pixel(x, y));
      }
      const side = isMeridian ? (name < 0 ? " W" : " E") : name < 0 ? " S" : " N";
      const text = `${Math.abs(name).toFixed(digits)}°${Math.abs(Number(name.toFixed(digits))) % 180 === 0 ? "" : side}`;
      lines.push({ points, text, at: crossing(points, view, isMeridian, projection.edge < Infinity || (!isMeridian && east - west === 360)), isMeridian });
    }
    return lines;
  }

  // Where a line that ends or closes within the window is named: the lower end of a meridian, the left end of a
  // parallel, the lower left of a circle about a pole.
  function extreme(points, view, isMeridian) {
    const seen = points.filter(([x, y]) => x > 20 && x < view.width - 20 && y > 12 && y < view.height - 12);
    const rank = isMeridian ? ([, y]) => y : ([x, y]) => (Math.abs(points[0][1] - points.at(-1)[1]) < 1 && points[0][0] < points.at(-1)[0] - 1 ? -x : y - x);
    return seen.length ? seen.reduce((best, each) => (rank(each) > rank(best) ? each : best)) : null;
  }

  function crossing(points, view, isMeridian, isWhole) {
    for (let k = 1; k < points.length; k += 1) {
      const [[x0, y0], [x1, y1]] = [points[k - 1], points[k]];
      const [edge, one, two] = isMeridian ? [view.height, y0, y1] : [0, x0, x1];
      if ((one - edge) * (two - edge) <= 0 && one !== two) {
        const part = (edge - one) / (two - one);
        const [x, y] = [x0 + part * (x1 - x0), y0 + part * (y1 - y0)];
        if (isMeridian ? x > 34 && x < view.width - 24 : y > 12 && y < view.height - 24) return [x, y];
      }
    }
    return isWhole ? extreme(points, view, isMeridian) : null;
  }

  // ---- the scale bar: a round length that takes up to a quarter of the width

  report.scaleBar = function (view) {
    const longest = ((view.width / 4) / view.scale) * EARTH_KM;
    const power = 10 ** Math.floor(Math.log10(longest));
    const km = [5, 2, 1].map((factor) => factor * power).find((length) => length <= longest) || power;
    return { pixels: (km / EARTH_KM) * view.scale, text: km >= 1 ? `${km} km` : `${km * 1000} m` };
  };
})(window.stationday);
