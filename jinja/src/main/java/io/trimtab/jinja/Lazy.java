package io.trimtab.jinja;

import java.util.Iterator;

/** Items that are computed when they are asked for, once: Python's generators and iterators. */
record Lazy(String kind, Iterator<Object> items) {}
