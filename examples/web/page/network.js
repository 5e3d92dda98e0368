// Asking the server.

/** A sentence for the reader of the page; `blank` where there is no ink. */
export class Refused extends Error {
  constructor(message, blank = false) {
    super(message);
    this.blank = blank;
  }
}

/** The answer to a picture, with the network's inputs and, if wanted, the stages. */
export async function predict(picture, { stages }) {
  let response, body;
  try {
    response = await fetch(`api/predict?inputs=true&stages=${stages}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: picture,
    });
    body = await response.json();
  } catch {
    throw new Refused("The server does not answer. It may have been stopped.");
  }
  if (!response.ok) throw new Refused(body.message, body.error === "no_ink");
  return body;
}

/**
 * Runs one job at a time. Of those that come meanwhile the newest is run next, and
 * the others never: what they were about is past.
 */
export class Newest {
  #running = false;
  #next = null;

  /** Whether a newer job than the running one has come. */
  get isWaiting() {
    return this.#next !== null;
  }

  async run(job) {
    this.#next = job;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#next) {
        const job = this.#next;
        this.#next = null;
        await job();
      }
    } finally {
      this.#running = false;
    }
  }
}
