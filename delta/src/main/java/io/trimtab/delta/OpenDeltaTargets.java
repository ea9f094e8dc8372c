package io.trimtab.delta;

import io.trimtab.delta.AddressTree.Common;
import io.trimtab.delta.AddressTree.Full;
import io.trimtab.delta.AddressTree.Minus;
import io.trimtab.delta.AddressTree.Search;
import io.trimtab.delta.AddressTree.Suffix;
import io.trimtab.delta.AddressTree.Union;
import io.trimtab.hub.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Where OpenDelta's methods go: by default, and by the {@code config.json} beside a checkpoint. */
public final class OpenDeltaTargets {
  private OpenDeltaTargets() {}

  /**
   * Where a method goes when nothing is said. A parallel adapter reads from the places named first,
   * third, … and writes to those behind each.
   *
   * @param deltaType OpenDelta's name of the method, such as {@code lora}
   */
  public static List<String> usual(String deltaType) {
    return switch (deltaType) {
      case "lora" -> List.of("attn@.q@", "attn@.v@");
      case "adapter", "compacter", "low_rank_adapter" -> List.of("attn@.proj@", "ff@.w2@");
      case "parallel_adapter" -> List.of("attn@", "attn@", "ff@.w1@", "ff@.w2@");
      case "prefix" -> List.of("attn@");
      case "bitfit" -> List.of("attn@", "ff@", "layer_norm@", "lm_head@.proj@");
      default ->
          throw new DeltaException(
              "found OpenDelta's method \""
                  + deltaType
                  + "\", expected one that goes on named places: lora, adapter, compacter,"
                  + " low_rank_adapter, parallel_adapter, prefix or bitfit");
    };
  }

  /**
   * One entry of OpenDelta's {@code modified_modules}: {@code [r]REGEX}, a common name whose parts
   * are marked by {@code @}, or an end of a path.
   */
  public static Address entry(String text) {
    if (text.startsWith("[r]")) {
      String regex = text.substring(3);
      AddressRegex.compile(regex);
      return Address.of(new Search(regex));
    }
    if (text.isBlank()) {
      throw new DeltaException("found an empty name of a module, expected one such as attn@.q@");
    }
    return Address.of(text.contains("@") ? new Common(text.replace("@", "")) : new Suffix(text));
  }

  /**
   * Reads {@code modified_modules}, or what is usual where it is null, and {@code exclude_modules}:
   * beginnings of paths or of common names. Excluded names that hit nothing are usual in these
   * files, so that the address is to be resolved leniently.
   */
  public static Address read(ModelConfig config) {
    return excluding(modified(config), config.texts("exclude_modules"));
  }

  /** Reads {@code modified_modules}, or what is usual where it is null, and nothing else. */
  public static Address modified(ModelConfig config) {
    List<String> modified =
        config.has("modified_modules")
            ? config.texts("modified_modules")
            : usual(config.text("delta_type"));
    return modified.stream()
        .distinct()
        .map(OpenDeltaTargets::entry)
        .reduce(Address::and)
        .orElseThrow(
            () ->
                new DeltaException(
                    "found no modified_modules in " + config.path() + ", expected some"));
  }

  /**
   * What an address hits but for {@code exclude_modules}: beginnings of paths or of common names,
   * which need not hit anything.
   */
  public static Address excluding(Address address, List<String> starts) {
    List<AddressTree> excluded = new ArrayList<>();
    for (String start : starts) {
      String plain = start.replace("@", "");
      excluded.add(new Full(Pattern.quote(plain) + ".*"));
      excluded.add(new Common(plain));
      excluded.add(new Common(plain + ".**"));
    }
    return excluded.isEmpty()
        ? address
        : Address.of(new Minus(address.tree(), new Union(excluded)));
  }
}
