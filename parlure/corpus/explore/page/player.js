// The chosen utterance: sound, waveform, spectrogram, segments.

const sound = at("sound"), sight = at("sight"), position = at("position");
let chosen = null, drawn = null, looking = null;

const dock = shown => { // what lies under it can still be scrolled into view
  at("dock").hidden = !shown;
  const height = shown ? `${at("dock").offsetHeight + 8}px` : "";
  document.documentElement.style.scrollPaddingBottom = document.body.style.paddingBottom = height;
};
const choose = index => {
  const row = view.rows[index];
  if (!row) return;
  mark(index);
  if (chosen?.id !== row.id) open(row);
  body.rows[index].scrollIntoView({ block: "nearest" });
  if (at("at-once").checked) play();
};
const open = row => {
  chosen = row;
  drawn = null;
  sound.pause();
  sound.src = "audio?" + new URLSearchParams({ id: row.id });
  at("chosen-id").textContent = row.id;
  const about = at("chosen-about"), file = row.recording.split(/[\\/]/).pop();
  about.replaceChildren([row.split, row.language, row.speaker].filter(Boolean).join(" · "));
  if (row.session) {
    const all = make("button", row.session, "link");
    all.type = "button";
    all.title = "Show this session alone";
    all.addEventListener("click", () => { view.session = row.session; afresh(); });
    about.append(" · session ", all);
  }
  about.append(` · ${file} ${row.start.toFixed(2)}–${row.end.toFixed(2)} s` +
    (row.channel === null ? "" : `, channel ${row.channel}`));
  about.title = row.recording;
  const text = at("chosen-text");
  text.textContent = row.text || "(no speech)";
  text.lang = row.task === "translate" ? "en" : row.language;
  text.dir = "auto";
  at("keep").href = sound.src;
  at("keep").download = row.id.replaceAll(/[^\p{L}\p{N}._-]/gu, "_") + ".wav";
  position.max = row.duration_s;
  at("measured").textContent = "";
  show(at("chosen-trouble"), "");
  drawSegments(row);
  dock(true);
  draw();
  tick();
  look(row);
};
const look = async row => {
  looking?.abort();
  looking = new AbortController();
  try {
    const picture = await ask("picture?" + new URLSearchParams({ id: row.id }), looking.signal);
    drawn = { ...picture, points: Uint8Array.from(atob(picture.spectrogram), letter => letter.charCodeAt(0)) };
    position.max = picture.seconds;
    const decibel = value => value.toFixed(1).replace("-", "\u2212");
    const parts = [picture.level_db === null ? "silent: every sample is zero" : `level ${decibel(picture.level_db)} dB`];
    if (picture.snr_db !== null) parts.push(`SNR about ${picture.snr_db.toFixed(0)} dB`);
    if (picture.at_full_scale) parts.push(`${plural(picture.at_full_scale, "sample")} at full scale`);
    at("measured").textContent = parts.join(" · ");
    draw();
  } catch (error) {
    if (error.name !== "AbortError") show(at("chosen-trouble"), error.message);
  }
};
const drawSegments = row => {
  const pieces = row.segments ?? [], share = seconds => `${100 * seconds / row.duration_s}%`;
  at("marks").replaceChildren(...pieces.map(([start, end]) => {
    const band = make("i");
    band.style.left = share(start);
    band.style.width = share(end - start);
    return band;
  }));
  at("segments").replaceChildren(...pieces.map(([start, end, text, speaker]) => {
    const item = make("li"), button = make("button", undefined, "segment");
    button.type = "button";
    button.append(make("b", `${start.toFixed(2)}–${end.toFixed(2)}${speaker ? " " + speaker : ""}`), text);
    button.addEventListener("click", () => { seek(start); play(); });
    item.append(button);
    return item;
  }));
};
const colour = name => { // of the style sheet, as [red, green, blue]
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1);
  return [0, 2, 4].map(place => parseInt(hex.slice(place, place + 2), 16));
};
const draw = () => {
  const wave = at("wave"), scale = devicePixelRatio || 1, pen = wave.getContext("2d");
  wave.width = Math.max(1, Math.round(wave.clientWidth * scale));
  wave.height = Math.round(wave.clientHeight * scale);
  const middle = wave.height / 2, canvas = at("spectrogram");
  pen.fillStyle = `rgb(${colour("--line")})`;
  pen.fillRect(0, Math.floor(middle), wave.width, 1);
  if (!drawn) {
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    return;
  }
  const loudest = Math.max(1e-4, ...drawn.high.map(Math.abs), ...drawn.low.map(Math.abs));
  pen.fillStyle = `rgb(${colour("--tuned")})`;
  for (let x = 0; x < wave.width; x++) {
    const from = Math.floor(x * drawn.low.length / wave.width);
    const to = Math.max(from + 1, Math.ceil((x + 1) * drawn.low.length / wave.width));
    const top = Math.max(...drawn.high.slice(from, to)) / loudest, bottom = Math.min(...drawn.low.slice(from, to)) / loudest;
    pen.fillRect(x, middle * (1 - top), 1, Math.max(1, middle * (top - bottom)));
  }
  drawSpectrogram(canvas);
};
const drawSpectrogram = canvas => {
  const { columns, bands, points } = drawn, pen = canvas.getContext("2d");
  canvas.width = columns;
  canvas.height = bands;
  const stops = [colour("--paper"), colour("--tuned"), colour("--ink")], image = pen.createImageData(columns, bands);
  const ramp = Array.from({ length: 256 }, (_, value) => {
    const place = value / 255 * 2, step = Math.min(1, Math.floor(place)), part = place - step;
    return stops[step].map((one, index) => one + (stops[step + 1][index] - one) * part);
  });
  for (let x = 0; x < columns; x++) {
    for (let y = 0; y < bands; y++) {
      image.data.set([...ramp[points[x * bands + y]], 255], 4 * ((bands - 1 - y) * columns + x));
    }
  }
  pen.putImageData(image, 0, 0);
};
const seek = seconds => {
  const last = drawn?.seconds ?? chosen.duration_s;
  sound.currentTime = Math.min(Math.max(0, seconds), Math.max(0, last - 0.01));
  tick();
};
const play = () => sound.play().catch(error => {
  if (error.name === "NotAllowedError") show(at("chosen-trouble"), "the browser waits for a click on ▶ before it plays");
});
const tick = () => {
  if (!chosen) return;
  const now = sound.currentTime, all = drawn?.seconds ?? chosen.duration_s;
  at("playhead").style.left = `calc(${100 * Math.min(1, now / all)}% - 1px)`;
  at("clock").textContent = `${now.toFixed(2)} s`;
  position.value = now;
  (chosen.segments ?? []).forEach(([start, end], index) =>
    at("segments").children[index].firstChild.setAttribute("aria-current", String(start <= now && now < end)));
  if (!sound.paused) requestAnimationFrame(tick);
};
const shut = () => {
  sound.pause();
  looking?.abort();
  chosen = null;
  dock(false);
  body.querySelector("[aria-current]")?.removeAttribute("aria-current");
};

const toggle = () => { if (sound.paused) play(); else sound.pause(); };
sound.addEventListener("play", () => { at("play").textContent = "❚❚"; at("play").setAttribute("aria-label", "Pause"); tick(); });
for (const name of ["pause", "ended"]) sound.addEventListener(name, () => {
  at("play").textContent = "▶";
  at("play").setAttribute("aria-label", "Play");
  tick();
});
at("play").addEventListener("click", toggle);
at("close").addEventListener("click", shut);
position.addEventListener("input", () => seek(Number(position.value)));
sight.addEventListener("click", event => {
  const box = sight.getBoundingClientRect();
  seek((event.clientX - box.left) / box.width * (drawn?.seconds ?? chosen.duration_s));
});
addEventListener("resize", () => { if (chosen) { dock(true); draw(); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (chosen) draw(); });
