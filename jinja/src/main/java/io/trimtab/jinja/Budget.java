package io.trimtab.jinja;

/** What one rendering has used of its {@link Limits}. */
final class Budget {
  /** A place in a list with the boxed number in it. */
  private static final int BYTES_PER_ITEM = 40;

  /** A string's two objects and a place in a list. */
  private static final int BYTES_PER_TEXT = 64;

  /** A place in a hash table, its entry, its key's number and its value's. */
  private static final int BYTES_PER_ENTRY = 160;

  private static final int BYTES_PER_OBJECT = 64;

  private final Limits limits;
  private long steps;
  private long bytes;
  private int depth;

  Budget(Limits limits) {
    this.limits = limits;
  }

  void step() {
    if (++steps > limits.steps()) {
      throw exceeded(limits.steps() + " steps");
    }
  }

  /** Counts characters or items that are looked at. */
  void work(long count) {
    steps += count >> 4;
    step();
  }

  /** Counts a text that is about to be made. */
  void text(long length) {
    allow(length, "characters in a text");
    memory(2 * length + BYTES_PER_TEXT);
  }

  /** Counts a list or tuple that is about to be made. */
  void items(long count) {
    allow(count, "items in a list");
    memory(BYTES_PER_ITEM * (count + 1));
  }

  /** Counts what is about to be put into a dictionary or another table of names. */
  void entries(long count) {
    allow(count, "items in a dictionary");
    memory(BYTES_PER_ENTRY * count);
  }

  /** Counts small objects about to be made: what a name is missing, what a loop remembers. */
  void objects(long count) {
    memory(BYTES_PER_OBJECT * count);
  }

  /** Refuses a text that grows beyond what may be made. */
  void fits(long length) {
    allow(length, "characters in a text");
  }

  private void allow(long size, String what) {
    if (size > limits.valueSize()) {
      throw exceeded(limits.valueSize() + " " + what);
    }
  }

  private void memory(long more) {
    bytes += more;
    if (bytes > limits.memory()) {
      throw exceeded(limits.memory() + " bytes of values");
    }
    work(more >> 4);
  }

  void output(long length) {
    if (length > limits.output()) {
      throw exceeded(limits.output() + " characters of output");
    }
  }

  /** One level down; left by {@link #exit} unless the whole rendering ends by an error. */
  void enter() {
    if (++depth > limits.depth()) {
      throw exceeded(limits.depth() + " levels of nesting");
    }
  }

  void exit() {
    depth--;
  }

  static JinjaException exceeded(String what) {
    return new JinjaException.LimitExceeded(
        "the template needs more than " + what + ", which its limits do not allow");
  }
}
