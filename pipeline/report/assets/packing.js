// Values as pipeline/report/packing.py packed them.
(function (report) {
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const CODES = new Int16Array(128).map((_, code) => ALPHABET.indexOf(String.fromCharCode(code)));
  const BYTES = { i2: 2, i4: 4, f8: 8 };
  const LEAST = { i2: -32768, i4: -2147483648 };

  function bytesOf(text) {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let k = 0; k < raw.length; k += 1) bytes[k] = raw.charCodeAt(k);
    return new DataView(bytes.buffer);
  }

  function readers(view, type) {
    if (type === "i2") return (k) => view.getInt16(2 * k, true);
    if (type === "i4") return (k) => view.getInt32(4 * k, true);
    return (k) => view.getFloat64(8 * k, true);
  }

  report.unpack = function (packed) {
    const { n, digits, first, step, type, data } = packed;
    const values = new Float64Array(n);
    let count = (k) => first + k * step;
    if (type === "c2") {
      if (data.length !== 2 * n) throw new Error(`${n} values in ${data.length} letters`);
      count = (k) => {
        const whole = CODES[data.charCodeAt(2 * k)] * 64 + CODES[data.charCodeAt(2 * k + 1)];
        return whole === 4095 ? NaN : first + whole;
      };
    } else if (type) {
      const view = bytesOf(data);
      if (view.byteLength !== n * BYTES[type]) throw new Error(`${n} values of ${type} in ${view.byteLength} bytes`);
      const read = readers(view, type);
      count = (k) => (read(k) === LEAST[type] ? NaN : first + read(k));
    }
    // Division by a power of ten gives the double next to the decimal number; a product would not.
    const power = 10 ** Math.abs(digits);
    for (let k = 0; k < n; k += 1) values[k] = digits >= 0 ? count(k) / power : count(k) * power;
    return values;
  };

  report.openStore = function (entries) {
    const opened = new Map();
    return {
      value: (number) => entries[number],
      array(number) {
        if (!opened.has(number)) opened.set(number, report.unpack(entries[number]));
        return opened.get(number);
      },
    };
  };
})(window.stationday);
