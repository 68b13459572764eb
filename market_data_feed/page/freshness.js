// Whether the feed still speaks. It tells its status once a second: silence means that what is shown is old.
const SILENT_MS = 3500;
const GIVE_UP_MS = 15000;

export class Freshness {
  #heardMs;

  constructor(nowMs) {
    this.#heardMs = nowMs;
  }

  heard(nowMs) {
    this.#heardMs = nowMs;
  }

  // Seconds of silence once they matter, otherwise 0.
  staleSeconds(nowMs) {
    const silentMs = nowMs - this.#heardMs;
    return silentMs < SILENT_MS ? 0 : Math.round(silentMs / 1000);
  }

  // After so long a new connection is worth a try: the old one may be dead without anybody having said so.
  isHopeless(nowMs) {
    return nowMs - this.#heardMs > GIVE_UP_MS;
  }
}
