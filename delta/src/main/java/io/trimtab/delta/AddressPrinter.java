package io.trimtab.delta;

import io.trimtab.delta.AddressTree.AllLinear;
import io.trimtab.delta.AddressTree.Common;
import io.trimtab.delta.AddressTree.Full;
import io.trimtab.delta.AddressTree.Glob;
import io.trimtab.delta.AddressTree.Minus;
import io.trimtab.delta.AddressTree.PeftLayers;
import io.trimtab.delta.AddressTree.Search;
import io.trimtab.delta.AddressTree.Suffix;
import io.trimtab.delta.AddressTree.Union;
import io.trimtab.delta.AddressTree.Within;
import java.util.List;
import java.util.stream.Collectors;

/** Writes an address so that parsing the text gives the same address again. */
final class AddressPrinter {
  private AddressPrinter() {}

  /** The text of an address. */
  static String print(AddressTree tree) {
    return switch (tree) {
      case Suffix suffix ->
          AddressLexer.isPlainName(suffix.name()) ? suffix.name() : quoted(suffix.name());
      case Glob glob -> glob.pattern();
      case Search search -> "[r]" + regex(search.regex());
      case Full full -> "[f]" + regex(full.regex());
      case AllLinear _ -> Address.ALL_LINEAR;
      case Common common -> "@" + common.pattern();
      case Union union -> union(union.members());
      case Minus minus -> before(minus.from()) + " - " + item(minus.what());
      case Within within ->
          print(within.of())
              + " layers="
              + within.layers().stream().map(Object::toString).collect(Collectors.joining(","));
      case PeftLayers layers -> peft(layers);
    };
  }

  /** Unions and differences are read from left to right, so only the first may be bare. */
  private static String union(List<AddressTree> members) {
    StringBuilder out = new StringBuilder(before(members.getFirst()));
    members.stream().skip(1).forEach(member -> out.append(',').append(item(member)));
    return out.toString();
  }

  /** What stands first in a group. */
  private static String before(AddressTree tree) {
    return switch (tree) {
      case Within within -> "(" + print(within) + ")";
      case PeftLayers layers -> "(" + print(layers) + ")";
      default -> print(tree);
    };
  }

  /** What stands after a comma or a minus. */
  private static String item(AddressTree tree) {
    return switch (tree) {
      case Union union -> "(" + print(union) + ")";
      case Minus minus -> "(" + print(minus) + ")";
      default -> before(tree);
    };
  }

  private static String peft(PeftLayers layers) {
    String of =
        layers.of() instanceof PeftLayers inner ? "(" + print(inner) + ")" : print(layers.of());
    String text =
        of
            + " layers_to_transform="
            + layers.numbers().stream().map(Object::toString).collect(Collectors.joining(","));
    return layers.names().isEmpty()
        ? text
        : text
            + " layers_pattern="
            + layers.names().stream().map(AddressPrinter::quoted).collect(Collectors.joining(","));
  }

  private static String regex(String regex) {
    return AddressLexer.isBareRegex(regex) ? regex : quoted(regex);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\"", "\"\"") + '"';
  }
}
