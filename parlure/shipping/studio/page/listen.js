// A sound → what two models make of it, beside each other.

const sound = at("sound");
let heard = null, listening = null, playing = null; // what is on the page, the request, the sound's address

const wanted = side => {
  const form = new FormData();
  form.append("model", at(side).value);
  form.append("response_format", "verbose_json");
  form.append("timestamp_granularities[]", "segment");
  if (at("language").value && at("task").value === "transcribe") form.append("language", at("language").value);
  return form;
};
const hear = async (side, blob, name, signal) => {
  const form = wanted(side), began = performance.now();
  form.append("file", blob, name);
  const path = at("task").value === "translate" ? "v1/audio/translations" : "v1/audio/transcriptions";
  const answer = await ask(path, { method: "POST", body: form, signal });
  return { ...await answer.json(), seconds: (performance.now() - began) / 1000 };
};

const waiting = (what, blob, reference) => {
  heard = { what, blob, reference, left: null, right: null };
  if (playing) URL.revokeObjectURL(playing);
  sound.src = playing = URL.createObjectURL(blob);
  at("result").hidden = false;
  at("what").textContent = what;
  at("how-long").textContent = "";
  show(at("said"), reference ?? "");
  at("said-title").hidden = !reference;
  for (const side of ["left", "right"]) {
    at(`${side}-name`).textContent = at(side).value;
    at(`${side}-text`).textContent = "listening …";
    at(`${side}-text`).classList.add("waiting");
    at(`${side}-phrases`).replaceChildren();
    at(`${side}-note`).textContent = "";
  }
  at("legend").textContent = "";
};

// Both at once: the server puts them into its queue, and whichever is ready is shown.
const listen = async (what, blob, name, reference = null) => {
  listening?.abort();
  listening = new AbortController();
  const { signal } = listening;
  show(at("trouble"), "");
  waiting(what, blob, reference);
  const one = async side => {
    try {
      const found = await hear(side, blob, name, signal);
      if (signal.aborted) return;
      heard[side] = found;
      compare();
    } catch (error) {
      if (error.name === "AbortError") return;
      at(`${side}-text`).textContent = "";
      at(`${side}-note`).textContent = error.message ?? "";
      trouble(error);
    }
  };
  await (at("left").value === at("right").value ? one("left").then(() => {
    if (!heard.left || signal.aborted) return;
    heard.right = heard.left;
    compare();
  }) : Promise.all([one("left"), one("right")]));
};

const compare = () => {
  const { left, right, reference } = heard;
  for (const side of ["left", "right"]) {
    const found = heard[side];
    if (!found) continue;
    const text = at(`${side}-text`), from = reference ?? (side === "right" ? left?.text : null);
    text.classList.remove("waiting");
    const shown = from == null ? null : marked(from, found.text);
    text.replaceChildren(shown ? shown.node : found.text || "nothing");
    if (!found.text && !shown?.differing) { text.textContent = "no words"; text.classList.add("waiting"); }
    phrases(side, found);
    const notes = [found.language && `language ${found.language}`, `${found.seconds.toFixed(1)} s of waiting`];
    if (reference && shown?.differing != null) {
      const n = wordsOf(reference).length;
      notes.unshift(`${plural(shown.differing, "word")} of ${n} wrong or added`);
    }
    at(`${side}-note`).textContent = notes.filter(Boolean).join(" · ");
    at("how-long").textContent = found.duration ? `${Number(found.duration).toFixed(1)} s` : "";
  }
  if (left && right) {
    at("legend").textContent = reference ? "Marked is what differs from the reference; capitals and punctuation do not count."
      : left.text === right.text ? "Both say the same."
        : "On the right: struck through what only the left has, underlined what only the right has.";
  }
};

const phrases = (side, found) => {
  at(`${side}-phrases`).replaceChildren(...(found.segments ?? []).map(segment => {
    const row = make("li"), button = make("button");
    button.type = "button";
    button.append(make("time", `${clock(segment.start)}–${clock(segment.end)}`), make("span", segment.text));
    button.dataset.start = segment.start;
    button.dataset.end = segment.end;
    button.onclick = () => { sound.currentTime = segment.start; sound.play(); };
    row.append(button);
    return row;
  }));
};
const follow = () => {
  for (const button of document.querySelectorAll(".phrases button")) {
    const now = sound.currentTime >= button.dataset.start && sound.currentTime < button.dataset.end;
    if (now && !sound.paused) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
  }
};
sound.addEventListener("timeupdate", follow);
sound.addEventListener("pause", follow);
const again = () => { if (heard) listen(heard.what, heard.blob, heard.blob.name ?? "sound.wav", heard.reference); };
for (const id of ["left", "right", "language", "task"]) at(id).addEventListener("change", again);

const swap = () => {
  const left = at("left").value;
  at("left").value = at("right").value;
  at("right").value = left;
  again();
};
const open = file => file && listen(file.name, file, file.name);
at("choose").onclick = () => at("file").click();
at("file").onchange = () => { open(at("file").files[0]); at("file").value = ""; };
const drop = at("drop");
for (const kind of ["dragenter", "dragover"]) addEventListener(kind, event => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", event => { if (!event.relatedTarget) drop.classList.remove("over"); });
addEventListener("drop", event => {
  event.preventDefault();
  drop.classList.remove("over");
  open(event.dataTransfer.files[0]);
});
