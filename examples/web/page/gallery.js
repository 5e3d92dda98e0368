// The pictures of this visit, newest first.

/** As many as two rows on a desktop have. */
const MOST = 20;

export class Gallery {
  #list = document.getElementById("pictures");
  #section = document.getElementById("gallery");
  #entries = [];
  #chosen;

  /** `chosen` is called with an entry that somebody wants to see again. */
  constructor(chosen) {
    this.#chosen = chosen;
  }

  /**
   * Adds a picture with its answer, or gives one that is there already another: a
   * drawing is one picture from its first stroke to the last. `key` tells them apart.
   */
  put({ key, blob, answer, drawn }) {
    let entry = this.#entries.find((entry) => entry.key === key);
    if (entry) {
      URL.revokeObjectURL(entry.url);
    } else {
      entry = { key, button: document.createElement("button"), item: document.createElement("li") };
      const shown = entry;
      entry.button.type = "button";
      const frame = document.createElement("span");
      frame.className = "frame";
      frame.append(document.createElement("img"));
      entry.button.append(frame, document.createElement("span"));
      entry.button.addEventListener("click", () => this.#chosen(shown));
      entry.item.append(entry.button);
      this.#list.prepend(entry.item);
      this.#entries.unshift(entry);
    }
    Object.assign(entry, { blob, url: URL.createObjectURL(blob), answer, drawn });
    const [frame, caption] = entry.button.children;
    const picture = frame.firstChild;
    picture.src = entry.url;
    picture.alt = drawn ? "A drawing:" : "A picture:";
    picture.classList.toggle("drawn", drawn);
    caption.textContent = answer.sure ? answer.digit : `${answer.digit}?`;
    this.#section.hidden = false;
    this.mark(key);
    for (const old of this.#entries.splice(MOST)) {
      URL.revokeObjectURL(old.url);
      old.item.remove();
    }
  }

  /** Takes a picture out, if it is there. */
  remove(key) {
    const at = this.#entries.findIndex((entry) => entry.key === key);
    if (at < 0) return;
    const [entry] = this.#entries.splice(at, 1);
    URL.revokeObjectURL(entry.url);
    entry.item.remove();
    this.#section.hidden = this.#entries.length === 0;
  }

  /** Marks the picture whose answer is shown, if it is one of these. */
  mark(key) {
    for (const entry of this.#entries) {
      entry.button.setAttribute("aria-pressed", String(entry.key === key));
    }
  }
}
