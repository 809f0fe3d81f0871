// While somebody speaks: samples to the server, and back what it makes of them so far, by the model on the right.

// What may still change is shown paler. A page without live texts works as well: the whole is heard at the end.
const openLive = rate => {
  const early = [], place = at("partial"), address = new URL("v1/live", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  let done = "", ready = false;
  socket.binaryType = "arraybuffer";
  place.hidden = false;
  place.replaceChildren(make("span", "listening …", "open"));
  const say = (stable, open) => place.replaceChildren(`${done}${stable}`, make("span", open && ` ${open}`, "open"));
  socket.onopen = () => socket.send(JSON.stringify({
    type: "start", model: at("right").value, encoding: "pcm_f32le", sample_rate: rate,
    ...(at("language").value && { language: at("language").value }),
    ...(sessionStorage.getItem(STORED) && { token: sessionStorage.getItem(STORED) }),
  }));
  socket.onmessage = ({ data }) => {
    const said = JSON.parse(data);
    if (said.type === "ready") { ready = true; for (const piece of early.splice(0)) socket.send(piece); }
    if (said.type === "partial") say(said.stable, said.unstable);
    if (said.type === "final") { done += `${said.text.trim()} `; say("", ""); }
    if (said.type === "error") say("", said.error.message);
  };
  return {
    push(piece) {
      if (ready && socket.readyState === WebSocket.OPEN) socket.send(piece); else if (!ready) early.push(piece);
    },
    close() {
      place.hidden = true;
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "stop" }));
      setTimeout(() => socket.close(), 5000);
    },
  };
};
