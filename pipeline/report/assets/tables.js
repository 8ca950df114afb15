// Tables: sorted by a click on a heading, filtered by a word where they are long.
(function (report) {
  const LONG = 15;

  function keyOf(row, column) {
    const cell = row.cells[column];
    return "sort" in cell.dataset ? cell.dataset.sort : cell.textContent;
  }

  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  function compare(one, two, isNumber) {
    return isNumber ? Number(one) - Number(two) : collator.compare(one, two);
  }

  function sort(table, column, sign) {
    const body = table.tBodies[0];
    const isNumber = table.tHead.rows[0].cells[column].classList.contains("number");
    const keyed = [...body.rows].map((row, place) => ({ row, place, key: keyOf(row, column) }));
    const isMissing = (key) => key === "" || key === "–" || (isNumber && Number.isNaN(Number(key)));
    keyed.sort((a, b) => {
      // What is missing stays below, whichever way the rest runs.
      if (isMissing(a.key) !== isMissing(b.key)) return isMissing(a.key) ? 1 : -1;
      return sign * compare(a.key, b.key, isNumber) || a.place - b.place;
    });
    body.append(...keyed.map((each) => each.row));
  }

  function makeSortable(table) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = report.make("button", { type: "button", class: "sort" }, ...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const isRising = heading.getAttribute("aria-sort") === "ascending";
        headings.forEach((each) => each.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", isRising ? "descending" : "ascending");
        sort(table, column, isRising ? -1 : 1);
      });
    });
  }

  function makeFilter(table) {
    const scroll = table.closest(".scroll");
    const id = report.newId("filter");
    const field = report.make("input", { id, type: "search", autocomplete: "off", spellcheck: "false" });
    const count = report.make("output", { for: id });
    const rows = [...table.tBodies[0].rows];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    field.addEventListener("input", () => {
      const word = field.value.trim().toLowerCase();
      let shown = 0;
      rows.forEach((row, k) => {
        row.hidden = !texts[k].includes(word);
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = word ? `${shown} of ${rows.length} rows` : "";
    });
    scroll.before(report.make("div", { class: "filter" }, report.make("label", { for: id }, "Filter rows "), field, " ", count));
  }

  report.startTable = function (table) {
    makeSortable(table);
    if (table.tBodies[0].rows.length > LONG) makeFilter(table);
  };

  report.startTables = () => document.querySelectorAll("table[data-sortable]").forEach(report.startTable);
})(window.stationday);
