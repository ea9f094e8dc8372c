package io.trimtab.delta.compat;

import java.util.List;

/** A program that loads adapters. */
interface AdapterReader {
  /** What it is called. */
  String name();

  /** The version that its rules were read from. */
  String asOf();

  /** Where it differs from PEFT's own reading, most serious first. */
  List<Rule> rules();
}
