// A click on a column's heading sorts its table, a second click turns it round. The page is whole without this.
(() => {
  "use strict";
  const value = (row, column) => {
    const cell = row.children[column];
    const text = cell.dataset.sort ?? cell.textContent.trim();
    const number = text === "" ? NaN : Number(text.replace(/,/g, ""));
    return Number.isNaN(number) ? text : number;
  };
  const missing = (v) => v === "" || v === "–" || v === "failed";
  const compare = (a, b) => {
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en");
  };
  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    if (!body || body.rows.length < 2) continue;
    heads.forEach((head, column) => {
      const sort = () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].map((row) => [value(row, column), row]);
        rows.sort(([a], [b]) => {
          if (missing(a) || missing(b)) return compare(a, b);
          return up ? compare(a, b) : compare(b, a);
        });
        body.append(...rows.map(([, row]) => row));
      };
      head.tabIndex = 0;
      head.title = "sort";
      head.classList.add("sortable");
      head.addEventListener("click", sort);
      head.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        sort();
      });
    });
  }
})();
