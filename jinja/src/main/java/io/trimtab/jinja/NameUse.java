package io.trimtab.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the parser must remember of names: which special ones the macros around read, and which
 * filters and tests do not exist. The latter are errors at once, but, as in Jinja, only when they
 * are reached if they stand in a condition's branches, so that templates can ask for what newer
 * versions have.
 */
final class NameUse {
  private record Unknown(String sort, String name, int at) {}

  private final TokenStream tokens;
  private final Deque<Set<String>> macros = new ArrayDeque<>();
  private final List<Unknown> unknown = new ArrayList<>();

  NameUse(TokenStream tokens) {
    this.tokens = tokens;
  }

  void name(String name) {
    if (name.equals("caller") || name.equals("varargs") || name.equals("kwargs")) {
      macros.forEach(macro -> macro.add(name));
    }
  }

  void enterMacro() {
    macros.push(new HashSet<>());
  }

  Set<String> exitMacro() {
    return Set.copyOf(macros.pop());
  }

  void unknown(String sort, String name, int at) {
    unknown.add(new Unknown(sort, name, at));
  }

  int mark() {
    return unknown.size();
  }

  /** Leaves what is unknown since the mark to be found when it is reached. */
  void tolerate(int mark) {
    unknown.subList(mark, unknown.size()).clear();
  }

  /** Fails if anything since the mark is unknown. */
  void refuse(int mark) {
    if (unknown.size() > mark) {
      Unknown first = unknown.get(mark);
      throw tokens.error("no " + first.sort() + " named '" + first.name() + "'", first.at());
    }
  }
}
