// What the other parts are made of: nodes, texts for the eye, questions to the server.

const at = id => document.getElementById(id);
const make = (tag, text, css) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (css) node.className = css;
  return node;
};
const show = (node, text) => { node.textContent = text; node.hidden = !text; };
const clock = seconds => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
const plural = (count, noun) => `${count.toLocaleString("en").replaceAll(",", " ")} ${noun}${count === 1 ? "" : "s"}`;

const STORED = "parlure token"; // in this tab alone: a server's token is no site's cookie
const authorized = () => {
  const token = sessionStorage.getItem(STORED);
  return token ? { Authorization: `Bearer ${token}` } : {};
};
class Refused extends Error {}

const ask = async (path, given = {}) => {
  let answer;
  try {
    answer = await fetch(path, { ...given, headers: authorized() });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the server does not answer: it has ended, or the network is gone");
  }
  if (answer.status === 401) throw new Refused();
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  throw new Error(said?.error?.message ?? said?.detail ?? `the server answers ${answer.status}`);
};
const trouble = error => {
  if (error.name === "AbortError") return;
  if (error instanceof Refused) { at("door").hidden = false; at("room").hidden = true; at("token").focus(); return; }
  show(at("trouble"), error.message);
};
