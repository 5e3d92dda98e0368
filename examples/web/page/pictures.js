// Pictures that are chosen, dropped, pasted or photographed.

import { Refused } from "./network.js";

/** Bytes that the server takes. */
const MAX_BYTES = 8 * 2 ** 20;

/** Pictures with more pixels, or bytes, are made smaller before they are sent. */
const ENOUGH = { pixels: 2 ** 21, bytes: 2 ** 21, side: 1600 };

/** Calls `given` with each file that somebody gives. */
export function watch({ inputs, given }) {
  for (const input of inputs) {
    input.addEventListener("change", () => {
      if (input.files.length) given(input.files[0]);
      // So that the same file can be chosen again.
      input.value = "";
    });
  }
  const root = document.documentElement;
  addEventListener("dragover", (event) => {
    event.preventDefault();
    root.classList.add("dragging");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) root.classList.remove("dragging");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    root.classList.remove("dragging");
    if (event.dataTransfer.files.length) given(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) given(event.clipboardData.files[0]);
  });
}

/**
 * What to send of a file, and whether the browser can show it. What the browser does
 * not understand the server may.
 */
export async function prepare(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    if (file.size > MAX_BYTES) {
      throw new Refused(`“${file.name}” is too large: it has more than 8 MiB, and is not a picture that this browser can open.`);
    }
    return { blob: file, shown: false };
  }
  const { width, height } = bitmap;
  const small = width * height <= ENOUGH.pixels && file.size <= ENOUGH.bytes;
  const blob = small ? file : await reduced(bitmap, file.type);
  bitmap.close();
  return { blob, shown: true };
}

function reduced(bitmap, type) {
  const scale = Math.min(1, ENOUGH.side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // A JPEG has no opacity, so only one is made of one.
  const target = type === "image/jpeg" ? "image/jpeg" : "image/png";
  return new Promise((resolve) => canvas.toBlob(resolve, target, 0.92));
}
