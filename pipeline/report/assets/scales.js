// Axes: places, round ticks, and how numbers and times are written. See pipeline/report/ticks.py.
(function (report) {
  const DAY = 86400;
  const STEPS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY, 5 * DAY];
  const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

  report.numberText = function (value, digits) {
    if (value === null || value === undefined || !Number.isFinite(value)) return "–";
    let text = digits === undefined ? String(Number(value.toPrecision(6))) : value.toFixed(Math.min(digits, 20));
    if (Number(text) === 0) text = text.replace("-", "");
    return text.replace("-", "−");
  };

  report.timeText = function (seconds) {
    const text = new Date(seconds * 1000).toISOString();
    return seconds % DAY === 0 ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 19)}`;
  };

  report.linearStep = function (span, count) {
    const raw = span / Math.max(count, 1);
    const power = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw * (1 - 1e-9));
  };

  const multiple = (number, step) => Number((number * step).toPrecision(12));

  report.digitsOf = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

  function linearTicks(low, high, count) {
    const step = report.linearStep(high - low, count);
    const digits = report.digitsOf(step);
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k <= Math.floor(high / step + 1e-9); k += 1) {
      ticks.push([multiple(k, step), report.numberText(multiple(k, step), digits)]);
    }
    return ticks;
  }

  function powerText(value) {
    if (value >= 1e-3 && value <= 1e4) return report.numberText(value);
    const [factor, power] = value.toExponential(0).split("e");
    const raised = [...String(Number(power))].map((letter) => RAISED[letter]).join("");
    return factor === "1" ? `10${raised}` : `${factor}·10${raised}`;
  }

  function logTicks(low, high, count) {
    const first = Math.floor(Math.log10(low) + 1e-9);
    const last = Math.ceil(Math.log10(high) - 1e-9);
    const every = Math.max(1, Math.ceil((last - first) / count));
    const factors = (last - first) * 3 <= count + 2 ? [1, 2, 5] : [1];
    const ticks = [];
    for (let power = first; power <= last; power += every) {
      for (const factor of factors) {
        const value = Number(`${factor}e${power}`);
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push([value, powerText(value)]);
      }
    }
    return ticks;
  }

  function clockText(seconds, step) {
    const time = new Date(seconds * 1000);
    if (seconds % DAY === 0) return `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]}`;
    return time.toISOString().slice(11, step < 60 ? 19 : 16);
  }

  function timeTicks(low, high, count) {
    const raw = (high - low) / Math.max(count, 1);
    const step = STEPS.find((each) => each >= raw);
    const ticks = [];
    if (step) {
      for (let k = Math.ceil(low / step); k <= Math.floor(high / step); k += 1) ticks.push([k * step, clockText(k * step, step)]);
      return ticks;
    }
    const months = MONTH_STEPS.find((each) => each * 30.44 * DAY >= raw) || 1200;
    const start = new Date(low * 1000);
    let number = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months;
    for (;;) {
      const [year, month] = [Math.floor(number / 12), number % 12];
      const time = Date.UTC(year, month, 1) / 1000;
      if (time > high) return ticks;
      if (time >= low) ticks.push([time, month === 0 ? String(year) : MONTHS[month]]);
      number += months;
    }
  }

  report.ticks = function (low, high, kind, count) {
    if (kind === "log") return logTicks(low, high, count);
    return kind === "time" ? timeTicks(low, high, count) : linearTicks(low, high, count);
  };

  // A scale: values to pixels and back.
  report.scale = function (axis, limits, start, stop) {
    const isLog = axis.kind === "log";
    const into = (value) => (isLog ? (value > 0 ? Math.log10(value) : NaN) : value);
    const [low, high] = [into(limits[0]), into(limits[1])];
    const place = (value) => start + ((into(value) - low) / (high - low)) * (stop - start);
    place.inverse = (pixel) => {
      const value = low + ((pixel - start) / (stop - start)) * (high - low);
      return isLog ? 10 ** value : value;
    };
    return place;
  };

  // The place in rising values that is nearest to one.
  report.nearest = function (values, wanted) {
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return values.length ? 0 : -1;
    if (low === values.length) return low - 1;
    return wanted - values[low - 1] <= values[low] - wanted ? low - 1 : low;
  };
})(window.stationday);
