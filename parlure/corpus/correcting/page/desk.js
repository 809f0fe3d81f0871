// The chosen utterance: why it is here, what was heard, its transcript, and what is said of it.

const text = at("text");
let busy = false;
const chosen = () => view.rows[view.chosen];

const choose = (index, quietly) => {
  const before = chosen();
  if (before && text.value !== before.text && index !== view.chosen &&
    !confirm("The transcript was changed and not saved. Leave it?")) return;
  const old = view.chosen, row = view.rows[index];
  view.chosen = index;
  for (const place of [old, index]) {
    list.children[place]?.firstChild.setAttribute("aria-current", String(place === index));
  }
  list.children[index].scrollIntoView({ block: "nearest" });
  at("work").hidden = false;
  at("chosen-id").textContent = row.id;
  at("chosen-about").textContent = [row.split, row.language, row.speaker, row.session && `session ${row.session}`,
    row.phrases && plural(row.phrases, "phrase time"), `score ${row.score.toFixed(2)}`].filter(Boolean).join(" · ");
  at("of-test").hidden = row.split !== "test";
  at("reasons").replaceChildren(...row.reasons.map(reason => make("li", reason)));
  at("heard").replaceChildren(...differences(row.differences));
  at("base").textContent = row.base_hypothesis ?? "";
  at("base").hidden = at("base-name").hidden = row.base_hypothesis === null;
  for (const node of [text, at("heard"), at("base")]) node.lang = row.task === "translate" ? "en" : row.language;
  text.value = row.text;
  text.disabled = row.done === "rejected";
  changed();
  if (index !== old) show(at("said"), "");
  hear(row);
  if (!quietly) play();
};
const differences = steps => steps.length ? steps.flatMap(([kind, said, heard]) => {
  const parts = kind === "equal" ? [make("span", heard)]
    : [said !== null && make("del", said), heard !== null && make("ins", heard)].filter(Boolean);
  return [...parts.flatMap(part => [part, " "])];
}) : ["(nobody)"];
const changed = () => text.classList.toggle("changed", text.value !== chosen()?.text);

const send = async (path, given) => {
  if (busy) return null;
  busy = true;
  try {
    let answer;
    try {
      answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) });
    } catch {
      throw new Error("parlure has ended, and this was not saved: start it again, and take the new address");
    }
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.hint ? `${said.message} – ${said.hint}` : said.message);
    show(at("trouble"), "");
    drawCounts(said.counts);
    return said;
  } catch (error) {
    show(at("trouble"), error.message);
    return null;
  } finally {
    busy = false;
  }
};
const keep = async action => {
  const row = chosen();
  if (!row || row.done === "rejected") return;
  const saved = await send("save", { id: row.id, action, text: action === "corrected" ? text.value : "" });
  if (!saved) return;
  const index = view.chosen;
  view.rows[index] = saved.row;
  text.value = saved.row.text;
  drawRow(saved.row, index);
  drawCount();
  next(1);
  if (view.chosen === index) choose(index, true);
  show(at("said"), [`${row.id}: ${STATES[action]}, saved`, ...saved.said].join("; "));
};
const undo = async () => {
  const saved = await send("undo", {});
  if (!saved) return;
  const index = view.rows.findIndex(row => row.id === saved.row?.id);
  if (index >= 0) {
    view.rows[index] = saved.row;
    drawRow(saved.row, index);
    drawCount();
    text.value = chosen().text;
    choose(index, true);
  } else await load();
  show(at("said"), `${saved.row?.id ?? "an utterance of another list"}: taken back`);
};
const insert = () => {
  const row = chosen();
  if (!row || text.disabled) return;
  text.value = row.hypothesis;
  changed();
  text.focus();
};
text.addEventListener("input", changed);
at("save").addEventListener("click", () => keep("corrected"));
at("right").addEventListener("click", () => keep("confirmed"));
at("silent").addEventListener("click", () => keep("silent"));
at("reject").addEventListener("click", () => keep("rejected"));
at("insert").addEventListener("click", insert);
at("undo").addEventListener("click", undo);
