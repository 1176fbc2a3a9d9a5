(() => {
  const stage = document.querySelector(".stage");
  const frames = [...document.querySelectorAll(".strip figure")];
  if (!stage || frames.length < 2) return;
  const [button, slider, label] = ["button", "input", "span"].map((tag) => stage.querySelector(tag));
  const picture = stage.querySelector("img");
  let timer = null;
  const show = (place) => {
    slider.value = place;
    picture.src = frames[place].querySelector("img").src;
    picture.alt = frames[place].querySelector("img").alt;
    label.textContent = frames[place].textContent.trim();
  };
  const pause = () => {
    clearTimeout(timer);
    timer = null;
    button.textContent = "Play";
  };
  const next = () => {
    const place = (Number(slider.value) + 1) % frames.length;
    show(place);
    timer = setTimeout(next, place === frames.length - 1 ? 1600 : 160);
  };
  const play = () => {
    button.textContent = "Pause";
    timer = setTimeout(next, 160);
  };
  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
  });
  button.addEventListener("click", () => (timer === null ? play() : pause()));
  frames.forEach((frame, place) => {
    frame.addEventListener("click", () => {
      pause();
      show(place);
    });
  });
  stage.querySelector("p").hidden = false;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) pause();
  else play();
})();
