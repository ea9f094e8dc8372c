package io.trimtab.jinja;

/** Python's {@code None}. */
enum None {
  NONE
}
