// Looking closer: hover, focus, highlight and filter. Without it the page shows everything.
{
  const table = JSON.parse(document.getElementById("trials").textContent);
  const find = (selector, place = document) => [...place.querySelectorAll(selector)];
  const [bar, form, state, card, said] = [".closer", ".closer-body", ".closer-state", ".card", ".said"].map((name) => find(name)[0]);
  const fields = find("[data-key]", form), many = table.models.length > 12;
  const make = (tag, textContent) => Object.assign(document.createElement(tag), { textContent });
  const marks = [], byShape = new Map(), byRow = new Map(), chosen = new Set();
  let pinned;

  // Marks: what shows models, or a row of the table of trials: its own, or the one chosen for the model.
  function add(chart, shape, models, row, own) {
    const mark = { chart, shape, models, row, own };
    marks.push(mark);
    byShape.set(shape, mark);
    if (own) byRow.set(row, [...(byRow.get(row) ?? []), mark]);
  }
  const rows = (text) => text.split(" ").flatMap((run) => {
    const [first, last = first] = run.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, k) => first + k);
  });
  for (const line of find("tr:has([data-m])")) add(null, line, find("[data-m]", line).map(({ dataset }) => Number(dataset.m)), -1, false);
  for (const group of find("[data-t], [data-m]:not(tr *)")) {
    const chart = group.closest("svg")?.parentElement, [model, row] = (group.dataset.m ?? "").split(" ").map(Number);
    if (group.dataset.m) add(chart, group, [model], row, false);
    if (!group.dataset.t) continue;
    const trials = rows(group.dataset.t), uses = find("use", group);
    const shapes = trials.length === 1 ? [group] : uses.length ? uses : find(":scope > path", group);
    if (shapes.length === trials.length)
      shapes.forEach((shape, k) => add(chart, shape, [table.model[trials[k]]], trials[k], true));
  }
  function spot({ shape }) {
    const part = shape.matches("g") ? find("use", shape).pop() ?? find("text, path", shape)[0] ?? shape : shape;
    if (part.matches("path")) return part.getPointAtLength(part.getTotalLength());
    const box = part.getBBox();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }
  function stops(chart) {
    const own = () => marks.filter((mark) => mark.chart === chart).map((mark) => [`${mark.models} ${mark.row} ${mark.own}`, mark]);
    return (chart.stops ??= [...new Map(own()).values()].map((mark) => Object.assign(mark, { spot: spot(mark) })));
  }

  // The card: what is known of a mark.
  function about(row, own) {
    const id = table.id.slice(16 * row, 16 * row + 16), place = `trials/${id.slice(0, 2)}/${id}/`;
    const setting = table.setting[row] ? `setting ${table.setting[row]}` : "the authors' setting";
    const seed = table.repeat[row] ? `, fresh seed ${table.repeat[row]}` : "";
    const score = `test ${table.metrics[table.data[row]]} ${table.test[row]}, validation ${table.validation[row]}`;
    const outcome = table.reason[row] ? `${table.statuses[table.status[row]]}: ${table.reason[row]}` : score;
    const values = Object.entries(table.values).filter(([, column]) => column[row] !== null);
    const images = find(`.browse [data-t="${row}"] img`).pop();
    return [
      make("p", `${own ? "" : "chosen: "}${setting}${seed}`),
      make("p", outcome),
      images ? images.cloneNode() : make("small", `samples, where kept: ${place}samples`),
      make("small", values.map(([name, column]) => `${table.labels[name]} ${column[row]}`).join(", ")),
      make("code", `${place}log.txt`),
    ];
  }
  function show(mark, x, y) {
    const name = find(`[data-model="${mark.models[0]}"]`, form)[0].cloneNode(true);
    hide();
    card.replaceChildren(name, ...(mark.row >= 0 ? about(mark.row, mark.own) : []));
    card.hidden = false;
    const above = y + card.offsetHeight + 70 > innerHeight && y > card.offsetHeight + 16;
    card.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - card.offsetWidth - 8))}px`;
    card.style.top = `${above ? y - card.offsetHeight - 14 : y + 14}px`;
    for (const { shape } of mark.own ? byRow.get(mark.row) : [mark]) shape.classList.add("now");
    return [...card.children].slice(0, 3).map((line) => line.textContent).join(", ");
  }
  function hide() {
    if (card.contains(document.activeElement)) pinned.chart.focus();
    card.hidden = true;
    pinned = undefined;
    for (const shape of find(".now")) shape.classList.remove("now");
  }

  // Pointer and keyboard: a chart is one tab stop, arrows move among its marks, Enter keeps the card.
  const order = { ArrowRight: ["x", "y", 1], ArrowLeft: ["x", "y", -1], ArrowDown: ["y", "x", 1], ArrowUp: ["y", "x", -1] };
  for (const chart of new Set(marks.map((mark) => mark.chart).filter(Boolean))) {
    const matrix = () => find("svg", chart)[0].getScreenCTM();
    let here = null;
    function under({ clientX, clientY }) {
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(matrix().inverse());
      const away = ({ spot }) => Math.hypot(spot.x - x, spot.y - y);
      const near = stops(chart).reduce((best, mark) => (away(mark) < away(best) ? mark : best));
      if (away(near) * matrix().a < 9) return near;
      for (const dy of [0, 3, -3]) {
        let shape = document.elementFromPoint(clientX, clientY + dy);
        while (shape && !byShape.has(shape)) shape = shape.parentElement;
        if (shape) return byShape.get(shape);
      }
    }
    chart.tabIndex = 0;
    chart.ariaLabel = chart.closest("[aria-label]")?.ariaLabel;
    chart.closest("[role=img]")?.setAttribute("role", "group");
    chart.setAttribute("role", "application");
    chart.setAttribute("aria-roledescription", "figure; arrow keys move among its marks");
    for (const leave of ["pointerleave", "blur"]) chart.addEventListener(leave, () => pinned || hide());
    for (const kind of ["pointermove", "click"])
      chart.addEventListener(kind, (event) => {
        if (pinned && kind !== "click") return;
        const mark = under(event);
        mark ? show(mark, event.clientX, event.clientY) : hide();
        if (kind === "click") pinned = mark;
      });
    chart.addEventListener("keydown", (event) => {
      const [first, second, step] = order[event.key] ?? [];
      if (!step && !(event.key === "Enter" && here)) return;
      event.preventDefault();
      const list = stops(chart).toSorted(({ spot: a }, { spot: b }) => a[first] - b[first] || a[second] - b[second]);
      if (step) here = list.at((list.indexOf(here) + step) % list.length);
      here.shape.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
      const { x, y } = new DOMPoint(here.spot.x, here.spot.y).matrixTransform(matrix());
      said.textContent = show(here, x, y);
      if (!step) (pinned = here), card.firstChild.focus();
    });
  }

  // Highlight models and filter settings, in every figure and table.
  const kinds = { is: (a, b) => String(a) === b || a === Number(b), least: (a, b) => a !== null && a >= b, most: (a, b) => a !== null && a <= b };
  function test({ value, dataset: { key, kind } }) {
    const column = table.values[key] ?? table.status.map((k) => table.statuses[k]);
    return (row) => kinds[kind](column[row], value);
  }
  function apply() {
    const tests = fields.filter((field) => field.value !== "").map(test);
    const passes = (row) => tests.every((one) => one(row)), other = (model) => chosen.size > 0 && !chosen.has(model);
    for (const { shape, models, row, own } of marks) {
      shape.classList.toggle("dim", models.every(other) || (own && !passes(row)));
      const place = many ? [...chosen].findIndex((model) => models.includes(model)) : -1; // of many none has a colour
      shape.style.setProperty("--muted", place < 0 ? "" : `var(--m${place % 12})`);
    }
    for (const button of find("[data-model]")) button.setAttribute("aria-pressed", chosen.has(Number(button.dataset.model)));
    const left = tests.length ? [`${table.model.filter((_, row) => passes(row)).length} of ${table.model.length} runs`] : [];
    state.textContent = said.textContent = [...[...chosen].map((model) => table.models[model]), ...left].join(", ");
  }
  form.oninput = apply;
  form.onreset = () => setTimeout(() => (chosen.clear(), apply()));
  addEventListener("keydown", (event) => event.key === "Escape" && (card.hidden ? form.reset() : hide()));
  addEventListener("click", ({ target }) => {
    const button = target.closest("[data-model]"), model = Number(button?.dataset.model);
    if (button && !chosen.delete(model)) chosen.add(model);
    if (button) apply();
    else if (!target.closest("[role=application], .card")) hide();
  });
  bar.hidden = false;
}
