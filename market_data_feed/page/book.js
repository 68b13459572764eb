// A book kept from a snapshot and the updates after it. A hole in the sequence is noticed, never drawn over.
export class BookView {
  #sides = { bids: new Map(), asks: new Map() };
  #sequence = null;

  // True if the message was applied; false if something before it is missing: ask for a snapshot again.
  apply(message) {
    if (message.type === "snapshot") {
      for (const side of Object.values(this.#sides)) side.clear();
    } else if (this.#sequence === null) {
      return true; // An update of the subscription before this one: the snapshot is on its way.
    } else if (message.previous !== this.#sequence) {
      this.#sequence = null;
      return false;
    }
    this.#sequence = message.sequence;
    for (const [name, side] of Object.entries(this.#sides)) {
      for (const level of message[name]) {
        if (level.quantity === 0) side.delete(level.price);
        else side.set(level.price, level);
      }
    }
    return true;
  }

  // Levels of "bids" or "asks", best first.
  levels(name) {
    const direction = name === "bids" ? -1 : 1;
    return [...this.#sides[name].values()].sort((a, b) => direction * (Number(a.price) - Number(b.price)));
  }
}
