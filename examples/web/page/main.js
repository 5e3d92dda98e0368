// The page: what is on the sheet, and its answer.

import { AnswerView } from "./answer.js";
import { Drawing } from "./drawing.js";
import { Gallery } from "./gallery.js";
import { Newest, Refused, predict } from "./network.js";
import { prepare, watch } from "./pictures.js";

const element = (id) => document.getElementById(id);
const view = new AnswerView();
const newest = new Newest();

/** A number for each new picture, and the one that is on the sheet. */
let count = 0;
let current = 0;
/** The file that is on the sheet instead of a drawing. */
let file = null;

const drawing = new Drawing(element("canvas"), {
  width: () => Number(element("brush").value),
  started: () => {
    if (drawing.isEmpty) newSheet();
  },
  changed: (penUp) => {
    show();
    readDrawing(penUp);
  },
});
const gallery = new Gallery(({ key, blob, answer, drawn }) => {
  newSheet();
  current = key;
  file = { blob, drawn, url: URL.createObjectURL(blob) };
  show();
  view.answered(answer, { drawn });
  gallery.mark(key);
});

/** Empties the sheet for another picture. */
function newSheet() {
  drawing.clear();
  current = ++count;
  if (file?.url) URL.revokeObjectURL(file.url);
  file = null;
  gallery.mark(null);
  view.idle();
  show();
}

/** Shows what is on the sheet, and which buttons that leaves. */
function show() {
  const empty = drawing.isEmpty && !file;
  element("hint").hidden = !empty;
  element("undo").disabled = drawing.isEmpty;
  element("clear").disabled = empty;
  const picture = element("shown");
  picture.hidden = !file?.url;
  if (file?.url) {
    picture.src = file.url;
    picture.classList.toggle("drawn", file.drawn);
  }
}

/** Reads the drawing as it is now: first the digit; how it was found when the pen is up. */
function readDrawing(penUp) {
  const key = current;
  newest.run(async () => {
    if (key !== current) return;
    const blob = await drawing.toPng();
    const answered = await read(key, blob, { drawn: true, stages: false });
    if (answered && penUp && !newest.isWaiting) {
      await read(key, blob, { drawn: true, stages: true });
    }
  });
}

/**
 * Reads a picture, and shows the answer if its picture is still on the sheet. Returns
 * whether there was one.
 */
async function read(key, blob, { drawn, stages }) {
  try {
    const answer = await predict(blob, { stages });
    if (key !== current) return false;
    view.answered(answer, { drawn });
    gallery.put({ key, blob, answer, drawn });
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (key !== current) return false;
    view.refused(error);
    gallery.remove(key);
    return false;
  }
}

/** Reads a file that somebody gave. */
async function readFile(given) {
  newSheet();
  const key = current;
  try {
    const { blob, shown } = await prepare(given);
    if (key !== current) return;
    file = { blob, drawn: false, url: shown ? URL.createObjectURL(blob) : null };
    show();
    newest.run(() => read(key, blob, { drawn: false, stages: true }));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    view.refused(error);
  }
}

function undo() {
  if (drawing.isEmpty) return;
  drawing.undo();
  if (drawing.isEmpty) {
    gallery.remove(current);
    newSheet();
  } else {
    readDrawing(true);
  }
}

element("undo").addEventListener("click", undo);
element("clear").addEventListener("click", newSheet);
element("read").addEventListener("click", () => {
  if (!file) return readDrawing(true);
  const { blob, drawn } = file;
  const key = current;
  newest.run(() => read(key, blob, { drawn, stages: true }));
});
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z") {
    event.preventDefault();
    undo();
  }
});
watch({ inputs: [element("file"), element("camera")], given: readFile });
newSheet();
