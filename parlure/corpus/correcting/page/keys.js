// Keys; and the beginning of it all.

let overview = null;
addEventListener("keydown", event => {
  if (event.isComposing || event.altKey) return;
  const held = event.ctrlKey || event.metaKey, place = event.target;
  if (held && event.key === "Enter") { event.preventDefault(); keep("corrected"); return; }
  if (held && event.key === " ") { event.preventDefault(); toggle(); return; }
  if (held) return;
  const writing = place.matches?.("textarea, select, input:not([type=checkbox], [type=range])");
  if (writing) { if (event.key === "Escape") place.blur(); return; }
  const act = {
    j: () => next(1), k: () => next(-1), ArrowDown: () => next(1), ArrowUp: () => next(-1),
    e: () => text.focus(), h: insert, r: () => keep("confirmed"), n: () => keep("silent"), x: () => keep("rejected"), u: undo,
    ...(!place.matches?.("input[type=range]") && {
      ArrowLeft: () => seek(sound.currentTime - 1), ArrowRight: () => seek(sound.currentTime + 1),
    }),
    // space on a button presses it, except on one that only chooses a row
    ...(!place.matches?.("button:not(.row, #play), input[type=checkbox]") && { " ": toggle }),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  if (chosen() || event.key === "u") act();
});
addEventListener("beforeunload", event => { if (chosen() && text.value !== chosen().text) event.preventDefault(); });

ask("overview").then(corpus => {
  overview = corpus;
  at("name").textContent = corpus.name;
  drawCounts(corpus.counts);
  const notes = [...corpus.notes, ...(corpus.not_heard ? [`${plural(corpus.not_heard, "utterance")} could not be heard: the terminal says which`] : [])];
  at("notes").hidden = !notes.length;
  at("notes").firstElementChild.replaceChildren(...notes.map(note => make("li", note)));
  return load();
}).catch(error => show(at("trouble"), error.message));
