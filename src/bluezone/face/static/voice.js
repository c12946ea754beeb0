// SPDX-License-Identifier: Apache-2.0
/**
 * Reading a screen aloud: by a recording of the city where it has one, else with a voice that is on the device.
 *
 * Nothing of the screen leaves the device for that. Which recording is asked for says which screen is open: a browser
 * that plays one fetches every recording of that language, and plays it from there.
 */

// Some engines stop in the middle of a long piece.
const LONGEST_PIECE = 180;
const WHOLE = "h1, h2, h3, legend, summary, label, p, li, dt, dd, .button, figcaption, .tile, small";
const VOICES_MS = 1500;
// A city that cannot be asked must not keep anybody waiting for the device's own voice.
const LIST_MS = 3000;
const LOOK_AGAIN_MS = 60_000;
const recordings = { list: null, until: 0, playing: null, kept: new Map(), root: "/voice/", credentials: "omit" };
// The engine that reads for this page: of a phone whose web view cannot.
let reading = null;

/** Take the recordings from below the page of a phone, which fetches them from its city, not from the page's origin. */
export function recordingsByPhone() {
  Object.assign(recordings, { root: "voice/", credentials: "same-origin" });
}

const fetched = (name) => fetch(recordings.root + name, { credentials: recordings.credentials }).catch(() => null);

/** Whether this browser can speak at all; a web view of Android cannot. */
export const canSpeak = () => "speechSynthesis" in globalThis && "SpeechSynthesisUtterance" in globalThis;

/** Stop what is being read. */
export function hush() {
  if (canSpeak()) speechSynthesis.cancel();
  if (reading) reading.hush().catch(() => {});
  reading = null;
  if (recordings.playing) recordings.playing.pause();
  recordings.playing = null;
}

/** The recordings that the city has: {voice: names of screens}; none where it cannot be asked. */
export async function recorded() {
  if (recordings.list === null || Date.now() > recordings.until) {
    const late = new Promise((resolve) => { setTimeout(resolve, LIST_MS, null); });
    const answer = await Promise.race([fetched("list.json"), late]);
    recordings.list = answer && answer.ok ? await answer.json().catch(() => null) : null;
    recordings.until = recordings.list ? Infinity : Date.now() + LOOK_AGAIN_MS;
    recordings.list = recordings.list || {};
  }
  return recordings.list;
}

/** Play the recording of a screen; false if there is none. voice: "tay" …; name: of the screen. */
export async function play(voice, name, ended) {
  const names = (await recorded())[voice] || [];
  if (!names.includes(name)) return false;
  const sounds = await Promise.all(names.map(async (one) => [one, await sound(`${voice}/${one}.mp3`)]));
  const found = new Map(sounds).get(name);
  if (!found) return false;
  hush();
  recordings.playing = new Audio(found);
  recordings.playing.onended = ended;
  await recordings.playing.play();
  return true;
}

async function sound(path) {
  if (!recordings.kept.has(path)) {
    const answer = await fetched(path);
    if (!answer || !answer.ok) return null;
    recordings.kept.set(path, URL.createObjectURL(await answer.blob()));
  }
  return recordings.kept.get(path);
}

/**
 * Read what is on the screen by the phone itself, whose web view cannot, and wait until that is over.
 *
 * engine: of the phone. Resolves to "ended", "stopped", "engine_missing", "voice_missing" or "failed".
 */
export async function readByPhone(engine, main, language) {
  hush();
  reading = engine;
  const { outcome } = await engine.speak(language, textsOf(main).flatMap(inPieces)).catch(() => ({ outcome: "failed" }));
  if (outcome !== "stopped") reading = null;
  return outcome;
}

/**
 * Read what is on the screen, heading first. Resolves to false if the device has no voice for the language.
 *
 * main: the screen's element. language: "vi", "en" … ended: called when it was read or stopped.
 */
export async function readAloud(main, language, ended) {
  const voice = await voiceFor(language);
  if (voice === null) return false;
  hush();
  const pieces = textsOf(main).flatMap(inPieces);
  pieces.forEach((text, place) => {
    const said = Object.assign(new SpeechSynthesisUtterance(text), { lang: voice.lang, voice, rate: 0.95 });
    if (place === pieces.length - 1) said.onend = ended;
    said.onerror = ended;
    speechSynthesis.speak(said);
  });
  return true;
}

/** The first voice of a language, those on the device before those of a service. */
async function voiceFor(language) {
  const found = () => speechSynthesis.getVoices().filter((voice) => voice.lang.toLowerCase().replace("_", "-").split("-")[0] === language);
  let voices = found();
  if (!voices.length) {
    // Chromium loads its voices after the first question for them.
    await new Promise((resolve) => {
      speechSynthesis.addEventListener("voiceschanged", resolve, { once: true });
      setTimeout(resolve, VOICES_MS);
    });
    voices = found();
  }
  return voices.find((voice) => voice.localService) || null;
}

/** The texts of a screen in their order, each once: the innermost element that is a whole; what is hidden is left out. */
export function textsOf(main) {
  const wholes = [...main.querySelectorAll(WHOLE)].filter((element) => !element.querySelector(WHOLE) && isShown(element));
  return wholes.map((element) => element.textContent.replace(/[\s\u00a0]+/g, " ").replace(/\u2060/g, "").trim()).filter(Boolean);
}

const isShown = (element) => element.getClientRects().length > 0 && !element.closest(".qr, [aria-hidden=true]");

/** A text in pieces of whole sentences, or of whole words where a sentence is too long. */
export function inPieces(text) {
  const pieces = [""];
  for (const part of text.match(/[^.!?;:]+[.!?;:]*\s*/g) || [text]) {
    for (const word of part.length > LONGEST_PIECE ? part.split(/(?<= )/) : [part]) {
      if (pieces[pieces.length - 1].length + word.length > LONGEST_PIECE) pieces.push("");
      pieces[pieces.length - 1] += word;
    }
  }
  return pieces.map((piece) => piece.trim()).filter(Boolean);
}
