// The page begins, and its keys.

const option = (value, text = value) => { const node = make("option", text); node.value = value; return node; };
const begin = async () => {
  let about;
  try {
    about = await (await ask("studio/data/about")).json();
  } catch (error) {
    trouble(error);
    return;
  }
  at("door").hidden = true;
  at("room").hidden = false;
  for (const side of ["left", "right"]) at(side).replaceChildren(...about.models.map(name => option(name)));
  at("left").value = about.models[0];
  at("right").value = about.models.at(-1);
  at("language").append(...about.languages.map(([code, name]) => option(code, name)));
  if (about.language) at("language").value = about.language;
  at("name").textContent = about.models.length > 1 ? about.models.join(" and ") : about.models[0];
  at("about").textContent = about.sentence;
  at("tests").hidden = !about.n_utterances;
  if (about.report) {
    const link = make("button", "Read the whole report", "link");
    link.type = "button";
    link.onclick = read;
    at("report-line").replaceChildren(`${about.report} `, link);
    at("report-line").hidden = false;
  }
  if (about.n_utterances) fill(0);
};
const read = async () => {
  try {
    const { ticket } = await (await ask("studio/data/ticket", { method: "POST" })).json();
    location.assign("studio/report?" + new URLSearchParams({ ticket }));
  } catch (error) {
    trouble(error);
  }
};
at("door").addEventListener("submit", event => {
  event.preventDefault();
  sessionStorage.setItem(STORED, at("token").value);
  begin();
});
const KEYS = {
  r: () => record.click(), o: () => at("choose").click(), s: swap,
  j: () => choose(chosen + 1), k: () => choose(Math.max(0, chosen - 1)),
  " ": () => { if (heard) { if (sound.paused) sound.play(); else sound.pause(); } },
};
addEventListener("keydown", event => {
  const writing = event.target.closest("input, select, textarea, audio");
  if (writing || event.ctrlKey || event.metaKey || event.altKey || at("room").hidden) return;
  if (event.key === " " && event.target.closest("button") && !event.target.closest("#list")) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});
begin();
