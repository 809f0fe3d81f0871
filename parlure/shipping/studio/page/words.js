// Two texts → which words differ, and nodes that show it.

const bare = word => word.toLocaleLowerCase().normalize("NFKC").replace(/[^\p{L}\p{M}\p{N}'’-]/gu, "").replaceAll("’", "'");
const wordsOf = text => text.split(/\s+/).filter(word => bare(word));

// The cheapest way from one list of words to the other (Levenshtein): pairs, in which null stands for no word. What
// both begin and end with is set aside, so that long texts cost what differs in them.
const aligned = (said, heard) => {
  let first = 0, a = said.length, b = heard.length;
  const same = (i, j) => bare(said[i]) === bare(heard[j]);
  while (first < a && first < b && same(first, first)) first++;
  while (a > first && b > first && same(a - 1, b - 1)) { a--; b--; }
  const n = a - first, m = b - first, width = m + 1, cost = new Uint32Array((n + 1) * width);
  for (let i = 0; i <= n; i++) for (let j = 0; j <= m; j++) {
    cost[i * width + j] = !i ? j : !j ? i : Math.min(cost[(i - 1) * width + j] + 1, cost[i * width + j - 1] + 1,
      cost[(i - 1) * width + j - 1] + (same(first + i - 1, first + j - 1) ? 0 : 1));
  }
  const middle = [];
  for (let i = n, j = m; i || j;) {
    const here = cost[i * width + j];
    if (i && j && here === cost[(i - 1) * width + j - 1] + (same(first + i - 1, first + j - 1) ? 0 : 1)) {
      middle.unshift([said[first + --i], heard[first + --j]]);
    } else if (i && here === cost[(i - 1) * width + j] + 1) middle.unshift([said[first + --i], null]);
    else middle.unshift([null, heard[first + --j]]);
  }
  const pairs = (from, to, shift) => said.slice(from, to).map((word, k) => [word, heard[from + shift + k]]);
  return [...pairs(0, first, 0), ...middle, ...pairs(a, said.length, heard.length - said.length)];
};
const MOST_WORDS = 4000; // beyond which a table of all pairs is no more for a browser

// A text as nodes, against another: what only the other has struck through, what only this one has underlined.
const marked = (from, text) => {
  const before = wordsOf(from), after = wordsOf(text);
  const node = document.createDocumentFragment();
  if (Math.max(before.length, after.length) > MOST_WORDS) { node.append(text); return { node, differing: null }; }
  let differing = 0;
  for (const [old, own] of aligned(before, after)) {
    if (node.childNodes.length) node.append(" ");
    if (old !== null && own !== null && bare(old) === bare(own)) { node.append(own); continue; }
    differing++;
    if (old !== null && own !== null) {
      const both = make("span", undefined, "sub");
      both.append(make("del", old), " ", make("ins", own));
      node.append(both);
    } else node.append(old === null ? make("ins", own) : make("del", old));
  }
  return { node, differing };
};
