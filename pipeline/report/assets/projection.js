// Places of the Earth to the sheet and back. See pipeline/report/projection.py.
(function (report) {
  const RADIANS = Math.PI / 180;

  function wrapped(longitude, middle) {
    const turn = (longitude - middle + 180) % 360;
    return (turn < 0 ? turn + 360 : turn) - 180;
  }

  report.projection = function ({ kind, longitude, latitude }) {
    const [sin0, cos0] = [Math.sin(latitude * RADIANS), Math.cos(latitude * RADIANS)];
    const isPlate = kind === "plate";

    function forward(lon, lat) {
      const turn = wrapped(lon, longitude) * RADIANS;
      const phi = lat * RADIANS;
      if (isPlate) return [turn * cos0, phi];
      const [sin, cos, cosTurn] = [Math.sin(phi), Math.cos(phi), Math.cos(turn)];
      const nearness = sin0 * sin + cos0 * cos * cosTurn;
      // Near the point opposite of the middle there is no place on the sheet.
      if (!(nearness > -0.85)) return [NaN, NaN];
      const factor = Math.sqrt(2 / (1 + nearness));
      return [factor * cos * Math.sin(turn), factor * (cos0 * sin - sin0 * cos * cosTurn)];
    }

    function inverse(x, y) {
      if (isPlate) {
        const [turn, phi] = [x / cos0, y];
        if (Math.abs(turn) > Math.PI || Math.abs(phi) > Math.PI / 2) return [NaN, NaN];
        return [longitude + turn / RADIANS, phi / RADIANS];
      }
      const rho = Math.hypot(x, y);
      if (!(rho <= 1.92)) return [NaN, NaN];
      if (rho === 0) return [longitude, latitude];
      const angle = 2 * Math.asin(rho / 2);
      const [share, cosAngle] = [Math.sin(angle) / rho, Math.cos(angle)];
      const phi = Math.asin(Math.min(1, Math.max(-1, cosAngle * sin0 + y * share * cos0)));
      return [longitude + Math.atan2(x * share, cos0 * cosAngle - y * share * sin0) / RADIANS, phi / RADIANS];
    }

    // Half the sheet's width where it has edges that are one line of the Earth.
    return { forward, inverse, edge: isPlate ? Math.PI * cos0 : Infinity, wrapped: (lon) => wrapped(lon, longitude) };
  };

  report.placeText = function (longitude, latitude, digits) {
    const east = wrapped(longitude, 0);
    return `${Math.abs(latitude).toFixed(digits)}° ${latitude < 0 ? "S" : "N"}, ${Math.abs(east).toFixed(digits)}° ${east < 0 ? "W" : "E"}`;
  };
})(window.stationday);
