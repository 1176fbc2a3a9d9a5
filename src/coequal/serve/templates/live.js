// Follows a run: asks whether the page has changed, and loads it again where the reader was, with everything that was
// open, chosen, pressed or sorted. While somebody types or selects text it only offers that. The page is whole without this.
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
  // What follows the first words of a summary may say what is chosen, or what was found.
  const first = (summary) => [...(summary?.childNodes ?? [])].find((node) => node.textContent.trim())?.textContent ?? "";
  const details = () => counts(outside("details"), (element) => first(element.querySelector("summary")));
  const marks = () => counts(outside("h1, h2, h3, summary, figure, tr, p"), (e) => `${e.tagName} ${e.textContent}`);
  const heads = () => counts(outside("thead th"), (e) => e.textContent);
  const label = (field) => [field.id, field.name, field.type, ...Object.values(field.dataset), field.type === "radio" ? field.value : ""].join(" ");
  const fields = () => counts(outside("input, select, textarea"), label);
  const pressed = () => counts(outside("button[aria-pressed]"), (button) => button.textContent);
  const chosen = (field) => (field.type === "radio" || field.type === "checkbox" ? field.checked : field.value);

  const keep = () => {
    // What is in sight, headings first: the first of these that is still there will stand where it stood.
    const seen = marks().map(([name, element]) => [name, element, element.getBoundingClientRect()]).filter(
      ([, element, { top, bottom }]) => bottom > 0 && top < innerHeight && element.offsetParent);
    const order = (element) => (element.matches("h1, h2, h3, summary") ? 0 : 1);
    seen.sort(([, a], [, b]) => order(a) - order(b));
    sessionStorage.setItem(kept, JSON.stringify({
      seen: scrollY > 0 ? seen.slice(0, 30).map(([name, , { top }]) => [name, top]) : [],
      top: scrollY,
      open: details().map(([name, element]) => [name, element.open]),
      fields: fields().map(([name, field]) => [name, chosen(field)]),
      pressed: pressed().map(([name, button]) => [name, button.getAttribute("aria-pressed")]),
      sorted: heads().map(([name, head]) => [name, head.getAttribute("aria-sort")]).filter(([, sort]) => sort),
    }));
  };
  const restore = (was) => {
    const open = new Map(was.open);
    for (const [name, element] of details()) if (open.has(name)) element.open = open.get(name);
    const values = new Map(was.fields);
    for (const [name, field] of fields()) {
      const value = values.get(name);
      if (value === undefined || value === chosen(field)) continue;
      if (typeof value === "boolean") field.checked = value;
      else field.value = value;
      for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
    }
    const down = new Map(was.pressed);
    for (const [name, button] of pressed()) {
      if (down.has(name) && down.get(name) !== button.getAttribute("aria-pressed")) button.click();
    }
    const sorted = new Map(was.sorted);
    for (const [name, head] of heads()) {
      for (let click = 0; click < 2 && sorted.has(name) && head.getAttribute("aria-sort") !== sorted.get(name); click += 1) head.click();
    }
    place(was);
  };
  const place = (was) => {
    const known = new Map(marks());
    const mark = was.seen.find(([name]) => known.has(name));
    const top = mark ? scrollY + known.get(mark[0]).getBoundingClientRect().top - mark[1] : was.top;
    scrollTo({ top, behavior: "instant" });
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
  let next = bar.dataset.next ? Number(bar.dataset.next) : null; // seconds; null: nothing will change any more
  const offer = bar.querySelector("[data-offer]");
  const ask = async () => {
    clearTimeout(timer);
    try {
      const answer = await fetch(bar.dataset.address, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      const now = await answer.json();
      bar.querySelector("[data-state]").innerHTML = now.state;
      bar.classList.remove("gone");
      next = now.next;
      if (now.version !== bar.dataset.version) {
        offer.hidden = !busy();
        if (offer.hidden) return load();
        next = next ?? 2;
      }
    } catch {
      bar.classList.add("gone");
      next = 5;
    }
    if (next !== null && !document.hidden) timer = setTimeout(ask, 1000 * next);
  };
  offer.addEventListener("click", load);
  document.addEventListener("visibilitychange", () => document.hidden || next === null || ask());
  const was = sessionStorage.getItem(kept);
  sessionStorage.removeItem(kept);
  if (was) {
    restore(JSON.parse(was));
    if (location.hash) addEventListener("load", () => setTimeout(() => place(JSON.parse(was))));  // by then the browser went to it
    // Later than the browser would put the page to a position of its own.
    addEventListener("load", () => setTimeout(() => { history.scrollRestoration = "auto"; }, 1000));
  }
  if (next !== null) timer = setTimeout(ask, 1000 * next);
})();
