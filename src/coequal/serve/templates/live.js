// Follows a run: asks whether the page has changed, and loads it again where the reader was, with everything that was
// open, chosen or sorted. While somebody types or selects text it only offers that. The page is whole without this.
(() => {
  "use strict";
  const bar = document.getElementById("live");
  if (!bar) return;
  const kept = `coequal ${location.pathname}${location.search}`;
  const counts = (found, name) => {
    // A name for every element that stays the same when numbers change: its text without figures, and which of them.
    const seen = new Map();
    return [...found].map((element) => {
      const text = name(element).trim().slice(0, 80).replace(/[\d.,]+/g, "#");
      seen.set(text, (seen.get(text) ?? 0) + 1);
      return [`${text} ${seen.get(text)}`, element];
    });
  };
  const outside = (selector) => [...document.querySelectorAll(selector)].filter((element) => !bar.contains(element));
  const details = () => counts(outside("details"), (d) => d.querySelector("summary")?.textContent ?? "");
  const marks = () => counts(outside("h1, h2, h3, summary, figure, tr, p"), (e) => `${e.tagName} ${e.textContent}`);
  const heads = () => counts(outside("thead th"), (e) => e.textContent);
  const fields = () => outside("input, select, textarea").filter((field) => field.id || field.name);
  const label = (field) => `${field.id} ${field.name} ${field.type === "radio" || field.type === "checkbox" ? field.value : ""}`;
  const chosen = (field) => (field.type === "radio" || field.type === "checkbox" ? field.checked : field.value);

  const keep = () => {
    const mark = marks().find(([, element]) => element.getBoundingClientRect().bottom > 0 && element.offsetParent);
    sessionStorage.setItem(kept, JSON.stringify({
      mark: scrollY > 0 && mark ? [mark[0], mark[1].getBoundingClientRect().top] : null,
      top: scrollY,
      open: details().map(([name, element]) => [name, element.open]),
      fields: fields().map((field) => [label(field), chosen(field)]),
      sorted: heads().map(([name, head]) => [name, head.getAttribute("aria-sort")]).filter(([, sort]) => sort),
    }));
  };
  const restore = (was) => {
    const open = new Map(was.open);
    for (const [name, element] of details()) if (open.has(name)) element.open = open.get(name);
    const values = new Map(was.fields);
    for (const field of fields()) {
      const value = values.get(label(field));
      if (value === undefined || value === chosen(field)) continue;
      if (typeof value === "boolean") field.checked = value;
      else field.value = value;
      for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
    }
    const sorted = new Map(was.sorted);
    for (const [name, head] of heads()) {
      for (let click = 0; click < 2 && sorted.has(name) && head.getAttribute("aria-sort") !== sorted.get(name); click += 1) head.click();
    }
    const mark = was.mark && marks().find(([name]) => name === was.mark[0]);
    scrollTo(0, mark ? scrollY + mark[1].getBoundingClientRect().top - was.mark[1] : was.top);
  };
  const busy = () => {
    const active = document.activeElement;
    const typing = active && active.matches("input, select, textarea") && !bar.contains(active);
    return typing || !getSelection().isCollapsed || document.querySelector("dialog[open]") !== null;
  };
  const load = () => {
    keep();
    history.scrollRestoration = "manual";
    location.reload();
  };

  let timer = null;
  const offer = bar.querySelector("[data-offer]");
  const ask = async () => {
    clearTimeout(timer);
    let next = 5;
    try {
      const answer = await fetch(bar.dataset.address, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      const now = await answer.json();
      bar.querySelector("[data-state]").innerHTML = now.state;
      bar.dataset.rendering = now.rendering;
      bar.classList.remove("gone");
      next = now.next;
      if (now.version !== bar.dataset.version) {
        offer.hidden = !busy();
        if (offer.hidden) return load();
        next = next ?? 2;
      }
    } catch {
      bar.classList.add("gone");
    }
    if (next !== null && !document.hidden) timer = setTimeout(ask, 1000 * next);
  };
  offer.addEventListener("click", load);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  const was = sessionStorage.getItem(kept);
  sessionStorage.removeItem(kept);
  if (was) {
    restore(JSON.parse(was));
    addEventListener("load", () => { history.scrollRestoration = "auto"; });
  }
  if (bar.dataset.next) timer = setTimeout(ask, 1000 * Number(bar.dataset.next));
})();
