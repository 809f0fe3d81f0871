// The sound of the chosen utterance, and its waveform.

const sound = at("sound"), position = at("position");
let drawn = null, looking = null;

const hear = row => {
  drawn = null;
  sound.pause();
  sound.src = "audio?" + new URLSearchParams({ id: row.id });
  position.max = row.duration_s;
  draw();
  tick();
  look(row);
};
const look = async row => {
  looking?.abort();
  looking = new AbortController();
  try {
    drawn = await ask("picture?" + new URLSearchParams({ id: row.id }), looking.signal);
    position.max = drawn.seconds;
    draw();
  } catch (error) {
    if (error.name !== "AbortError") show(at("trouble"), error.message);
  }
};
const draw = () => {
  const wave = at("wave"), scale = devicePixelRatio || 1, pen = wave.getContext("2d");
  wave.width = Math.max(1, Math.round(wave.clientWidth * scale));
  wave.height = Math.round(wave.clientHeight * scale);
  const middle = wave.height / 2, style = getComputedStyle(document.documentElement);
  pen.fillStyle = style.getPropertyValue("--line");
  pen.fillRect(0, Math.floor(middle), wave.width, 1);
  if (!drawn) return;
  const loudest = Math.max(1e-4, ...drawn.high.map(Math.abs), ...drawn.low.map(Math.abs));
  pen.fillStyle = style.getPropertyValue("--tuned");
  for (let x = 0; x < wave.width; x++) {
    const from = Math.floor(x * drawn.low.length / wave.width);
    const to = Math.max(from + 1, Math.ceil((x + 1) * drawn.low.length / wave.width));
    const top = Math.max(...drawn.high.slice(from, to)) / loudest, bottom = Math.min(...drawn.low.slice(from, to)) / loudest;
    pen.fillRect(x, middle * (1 - top), 1, Math.max(1, middle * (top - bottom)));
  }
};
const all = () => drawn?.seconds ?? Number(position.max);
const seek = seconds => {
  sound.currentTime = Math.min(Math.max(0, seconds), Math.max(0, all() - 0.01));
  tick();
};
const play = () => sound.play().catch(error => {
  if (error.name === "NotAllowedError") show(at("trouble"), "the browser waits for a click on ▶ before it plays");
});
const toggle = () => { if (sound.paused) play(); else sound.pause(); };
const tick = () => {
  at("playhead").style.left = `calc(${100 * Math.min(1, sound.currentTime / all())}% - 1px)`;
  at("clock").textContent = `${sound.currentTime.toFixed(2)} s`;
  position.value = sound.currentTime;
  if (!sound.paused) requestAnimationFrame(tick);
};
const drawButton = () => {
  at("play").textContent = sound.paused ? "▶" : "❚❚";
  at("play").setAttribute("aria-label", sound.paused ? "Play" : "Pause");
  tick();
};
for (const name of ["play", "pause", "ended", "emptied"]) sound.addEventListener(name, drawButton);
at("play").addEventListener("click", toggle);
position.addEventListener("input", () => seek(Number(position.value)));
at("sight").addEventListener("click", event => {
  const box = at("sight").getBoundingClientRect();
  seek((event.clientX - box.left) / box.width * all());
});
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
