// The answer, and what the network saw.

const element = (id) => document.getElementById(id);

/** What the stages do, in the words of the library's page on preprocessing. */
const STAGES = {
  reduced: "the means of blocks of pixels",
  "colour axis": "from paper to ink, as one value",
  "without noise": "as smooth as the noise asks for",
  contrast: "against the paper around",
  ink: "what stands out",
  "ink without lines": "no ruled lines, no boxes",
  digit: "the heaviest parts, no specks",
  "ink of the digit": "with its soft edges",
  canonical: "64 pixels along the longer side",
  stroke: "as wide as in MNIST",
  centred: "what the network sees",
};

/** How long an answer has to stand before it is read aloud, in milliseconds. */
const SETTLED = 700;

/** No network is ever 100 % sure. */
const NEARLY = 0.9995;
const percent = (share) => (share < NEARLY ? `${(100 * share).toFixed(1)} %` : "> 99.9 %");
const inWords = (share) => (share < NEARLY ? percent(share) : "more than 99.9 %");

export class AnswerView {
  #bars;
  #inputs = null;
  #timer = 0;

  constructor() {
    this.#bars = Array.from({ length: 10 }, (_, digit) => {
      const item = document.createElement("li");
      const name = document.createElement("span");
      const bar = document.createElement("div");
      const share = document.createElement("span");
      name.textContent = digit;
      bar.className = "bar";
      share.className = "percent";
      bar.append(document.createElement("span"));
      item.append(name, bar, share);
      element("bars").append(item);
      return { item, bar, share };
    });
    this.#probabilities(null);
    element("csv").addEventListener("click", () => {
      download("input.csv", new Blob([`${this.#inputs.join(",")}\n`], { type: "text/csv" }));
    });
    element("png").addEventListener("click", () => {
      element("input").toBlob((png) => download("input.png", png), "image/png");
    });
  }

  /** Nothing has been read. */
  idle() {
    this.#show("idle", "?", "Nothing has been read yet.", "");
    this.#probabilities(null);
    element("seen").hidden = true;
  }

  /** What went wrong, in a sentence. */
  refused({ message, blank }) {
    this.#show(blank ? "none" : "failed", blank ? "–" : "!", message);
    this.#probabilities(null);
    element("seen").hidden = true;
  }

  /** `drawn` says whether the picture is one that the page drew. */
  answered(answer, { drawn }) {
    const { digit, confidence, sure, probabilities, inputs, stages } = answer;
    const second = probabilities.reduce(
      (best, share, other) => (other !== digit && share > probabilities[best] ? other : best),
      digit === 0 ? 1 : 0,
    );
    const sentence = sure
      ? `Read as ${digit}, with a probability of ${inWords(confidence)}.`
      : `Not sure: perhaps ${digit} (${percent(confidence)}) or ${second} (${percent(probabilities[second])}), perhaps no digit.`;
    this.#show(sure ? "digit" : "unsure", sure ? digit : `${digit}?`, sentence);
    this.#probabilities(probabilities, digit);
    this.#input(inputs, drawn);
    if (stages) this.#stages(stages, drawn);
  }

  #show(state, digit, sentence, aloud = sentence) {
    element("answer").dataset.state = state;
    element("digit").textContent = digit;
    element("sentence").textContent = sentence;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (element("live").textContent = aloud), SETTLED);
  }

  #probabilities(probabilities, best) {
    this.#bars.forEach(({ item, bar, share }, digit) => {
      const probability = probabilities?.[digit] ?? 0;
      bar.firstChild.style.setProperty("--share", probability);
      share.textContent = probabilities ? percent(probability) : "";
      item.classList.toggle("best", Boolean(probabilities) && digit === best);
    });
  }

  /** The inputs, 0 for paper to 1 for ink, in black on white. */
  #input(inputs, drawn) {
    this.#inputs = inputs;
    const canvas = element("input");
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(28, 28);
    inputs.forEach((ink, at) => {
      const gray = Math.round(255 * (1 - ink));
      pixels.data.set([gray, gray, gray, 255], 4 * at);
    });
    context.putImageData(pixels, 0, 0);
    canvas.classList.toggle("drawn", drawn);
    element("seen").hidden = false;
  }

  #stages(stages, drawn) {
    const items = stages.map(({ name, width, height, png }) => {
      const item = document.createElement("li");
      const figure = document.createElement("figure");
      const frame = document.createElement("div");
      const picture = document.createElement("img");
      const caption = document.createElement("figcaption");
      const title = document.createElement("b");
      picture.src = png;
      picture.alt = `${name}, ${width} by ${height} pixels`;
      picture.classList.toggle("drawn", drawn);
      title.textContent = name;
      caption.append(title, STAGES[name] ?? "");
      frame.className = "frame";
      frame.append(picture);
      figure.append(frame, caption);
      item.append(figure);
      return item;
    });
    element("stages").replaceChildren(...items);
  }
}

function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
