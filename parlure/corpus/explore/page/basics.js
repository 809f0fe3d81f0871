// What the other parts are made of: nodes, numbers for the eye, questions to the server.

const PAGE = 100; // rows
const COLUMNS = [ // key of the order, heading, whether it is a number
  ["id", "id"], ["split", "split"], ["speaker", "speaker"], ["session", "session"], ["duration", "seconds", true],
  ["pace", "characters / s", true], ["text", "text"], ["tags", "tags"],
];
const at = id => document.getElementById(id);
const make = (tag, text, css) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (css) node.className = css;
  return node;
};
const number = value => value.toLocaleString("en").replaceAll(",", "\u202f");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
const length = seconds => seconds >= 3600 ? `${(seconds / 3600).toFixed(1)} h`
  : seconds >= 60 ? `${(seconds / 60).toFixed(1)} min` : `${seconds.toFixed(1)} s`;

const ask = async (path, signal) => {
  let answer;
  try {
    answer = await fetch(path, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("parlure has ended: start it again, and take the new address");
  }
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.hint ? `${said.message} – ${said.hint}` : said.message);
  return said;
};
const show = (node, text) => { node.textContent = text; node.hidden = !text; };
