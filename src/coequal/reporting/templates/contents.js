// Contents: the current place is marked, links unfold what they point into, and print unfolds everything.
// The page is whole without this: browsers unfold what a link points into, and the style sheet unfolds for print.
(() => {
  "use strict";
  const target = (hash) => document.getElementById(decodeURIComponent(hash.slice(1)));
  const unfold = (element) => {
    for (let d = element?.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
  };
  const follow = () => {
    const found = location.hash && target(location.hash);
    if (!found) return;
    unfold(found);
    found.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  follow();

  const nav = document.querySelector(".contents");
  const links = [...nav.querySelectorAll("a")];
  const places = links.map((link) => {
    const found = target(link.hash);
    return found?.closest(".piece") ?? found;
  });
  let current;
  const mark = () => {
    const limit = innerHeight / 4;
    let found = 0;
    places.forEach((place, k) => {
      if (place?.checkVisibility() && place.getBoundingClientRect().top < limit) found = k;
    });
    if (links[found] === current) return;
    current?.removeAttribute("aria-current");
    current = links[found];
    current.setAttribute("aria-current", "location");
    const box = nav.getBoundingClientRect(), at = current.getBoundingClientRect();
    if (at.top < box.top || at.bottom > box.bottom) nav.scrollTop += at.top - box.top - box.height / 2;
  };
  let waiting = 0;
  addEventListener("scroll", () => { waiting ||= requestAnimationFrame(() => { waiting = 0; mark(); }); }, { passive: true });
  mark();

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("main details:not([open])")];
    folded.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((d) => { d.open = false; }));
})();
