// The microphone → a WAV file in memory, and while it is spoken into, texts that the server sends back.

const record = at("record"), RATE = 16000; // Hz: what Whisper hears; the browser resamples
const MOST_S = 600; // of one recording, all of which is kept in memory: 38 MB
let recording = null;

const startRecording = async () => {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("a browser gives a microphone to pages of this machine (127.0.0.1) or behind https alone");
  }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } }).catch(error => {
    throw new Error(error.name === "NotAllowedError" ? "the browser was not allowed to use the microphone"
      : `there is no microphone to use: ${error.message}`);
  });
  const context = new AudioContext({ sampleRate: RATE });
  await context.audioWorklet.addModule("studio/capture.js");
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  context.createMediaStreamSource(stream).connect(capture);
  recording = { stream, context, pieces: [], n: 0, live: openLive(RATE) };
  capture.port.onmessage = ({ data }) => {
    if (!recording) return;
    recording.pieces.push(data);
    recording.n += data.length;
    recording.live.push(data);
    at("level").value = Math.min(1, 3 * Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length));
    at("hint").textContent = clock(recording.n / RATE);
    if (recording.n >= MOST_S * RATE) stopRecording();
  };
  record.setAttribute("aria-pressed", "true");
  record.firstChild.textContent = "Stop ";
  at("level").hidden = false;
};
const stopRecording = async () => {
  const { stream, context, pieces, n, live } = recording;
  recording = null;
  for (const track of stream.getTracks()) track.stop();
  await context.close();
  live.close();
  record.setAttribute("aria-pressed", "false");
  record.firstChild.textContent = "Record again ";
  at("level").hidden = true;
  at("hint").textContent = "or drop a file here";
  if (n) await listen(`recorded at ${new Date().toLocaleTimeString("en-GB")}`, wav(pieces, n), "recording.wav");
};
record.onclick = async () => {
  record.disabled = true;
  show(at("trouble"), "");
  try {
    await (recording ? stopRecording() : startRecording());
  } catch (error) {
    recording = null;
    trouble(error);
  } finally {
    record.disabled = false;
  }
};

// Samples from −1 to 1 → a WAV file of 16 bits, one channel.
const wav = (pieces, n) => {
  const view = new DataView(new ArrayBuffer(44 + 2 * n));
  const text = (place, chars) => [...chars].forEach((char, k) => view.setUint8(place + k, char.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * n, true); text(8, "WAVEfmt "); view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * n, true);
  let place = 44;
  for (const piece of pieces) for (const sample of piece) {
    view.setInt16(place, Math.max(-1, Math.min(1, sample)) * 32767, true);
    place += 2;
  }
  return new Blob([view], { type: "audio/wav" });
};
