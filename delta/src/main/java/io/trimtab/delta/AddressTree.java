package io.trimtab.delta;

import java.util.ArrayList;
import java.util.List;

/** What an address says, parsed. Its text form is {@link AddressPrinter}'s. */
sealed interface AddressTree {
  /** Paths that are a name or end in a dot and that name, taken literally. */
  record Suffix(String name) implements AddressTree {}

  /** Paths that a pattern with {@code *}, {@code ?} and {@code **} fits from a dot to the end. */
  record Glob(String pattern) implements AddressTree {}

  /** OpenDelta's expression: its match starts at a dot and ends where the path ends. */
  record Search(String regex) implements AddressTree {}

  /** PEFT's expression: it matches the whole path. */
  record Full(String regex) implements AddressTree {}

  /** Every linear layer but those that give results. */
  record AllLinear() implements AddressTree {}

  /** A name, or glob, of the common structure, without any {@code @}. */
  record Common(String pattern) implements AddressTree {}

  /** What any of several addresses hits. */
  record Union(List<AddressTree> members) implements AddressTree {
    public Union {
      members = List.copyOf(members);
    }

    /** Joins two addresses; members of unions become members of one. */
    static AddressTree of(AddressTree a, AddressTree b) {
      List<AddressTree> members = new ArrayList<>();
      for (AddressTree side : List.of(a, b)) {
        if (side instanceof Union union) {
          members.addAll(union.members());
        } else {
          members.add(side);
        }
      }
      return new Union(members);
    }
  }

  /** What one address hits and another does not. */
  record Minus(AddressTree from, AddressTree what) implements AddressTree {}

  /** What an address hits in numbered layers. */
  record Within(AddressTree of, List<Range> layers) implements AddressTree {
    public Within {
      layers = List.copyOf(layers);
    }
  }

  /**
   * What an address hits by PEFT's {@code layers_to_transform} and {@code layers_pattern}: names
   * that are a whole path are hit wherever they are.
   */
  record PeftLayers(AddressTree of, List<Integer> numbers, List<String> names)
      implements AddressTree {
    public PeftLayers {
      numbers = List.copyOf(numbers);
      names = List.copyOf(names);
    }
  }

  /** Numbers of layers. */
  sealed interface Range {
    /** From one number to another, both included. */
    record Span(int from, int to) implements Range {
      @Override
      public String toString() {
        return from == to ? String.valueOf(from) : from + "-" + to;
      }
    }

    /** So many at the end of a stack. */
    record Last(int count) implements Range {
      @Override
      public String toString() {
        return "last:" + count;
      }
    }
  }
}
