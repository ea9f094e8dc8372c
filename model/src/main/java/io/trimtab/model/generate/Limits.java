package io.trimtab.model.generate;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import io.trimtab.model.Patches;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What a model's files say about how far its texts go. */
final class Limits {
  private static final String END = "eos_token_id";

  private Limits() {}

  /** The tokens that end texts, by config.json and the generation_config.json beside it. */
  static Set<Integer> endTokens(ModelConfig config) {
    Set<Integer> ends = new TreeSet<>();
    Stream.concat(Stream.of(config), beside(config).stream())
        .forEach(
            each -> {
              if (each.isList(END)) {
                ends.addAll(each.integers(END));
              } else if (each.has(END)) {
                ends.add(each.integer(END));
              }
            });
    return ends;
  }

  private static Optional<ModelConfig> beside(ModelConfig config) {
    Path file = config.path().resolveSibling("generation_config.json");
    return Files.isRegularFile(file) ? Optional.of(ModelConfig.read(file)) : Optional.empty();
  }

  /** The number of positions that the model was made for; empty where it does not say. */
  static OptionalInt positions(ModelConfig config) {
    return Stream.of("max_position_embeddings", "n_positions", "n_ctx")
        .filter(config::has)
        .mapToInt(config::integer)
        .findFirst();
  }

  /** The positions left for tokens beside the vectors that patches put into every row. */
  static OptionalInt positions(Model model, Patches patches) {
    OptionalInt all = positions(model.config());
    return all.isEmpty() ? all : OptionalInt.of(all.getAsInt() - inserted(model, patches));
  }

  private static int inserted(Model model, Patches patches) {
    return model.stacks().getLast().embeddings().inserted(patches);
  }

  /**
   * Checks that there are positions for all tokens that a continuation is foretold from.
   *
   * @throws GenerateException where there are not
   */
  static void checkRoom(Model model, Patches patches, Scorer.Pair pair) {
    OptionalInt positions = positions(model, patches);
    int needed = pair.prompt().length + pair.continuation().length;
    GenerateException.check(
        positions.isEmpty() || needed <= positions.getAsInt() + 1,
        "a prompt and continuation of",
        needed + " tokens",
        "up to the " + positions.orElse(0) + " positions of " + named(model, patches));
  }

  /** How many tokens can come after a prompt, up to {@code most}. */
  static int room(Model model, Patches patches, int[] prompt, int most) {
    if (prompt.length == 0) {
      throw new GenerateException(
          "found a prompt of no tokens, expected at least one; begin with the token that begins"
              + " texts");
    }
    OptionalInt positions = positions(model, patches);
    if (positions.isEmpty()) {
      return most;
    }
    int room = positions.getAsInt() - prompt.length;
    if (room < 1) {
      throw new GenerateException(
          "found a prompt of "
              + prompt.length
              + " tokens, expected fewer than the "
              + positions.getAsInt()
              + " positions of "
              + named(model, patches)
              + "; shorten it");
    }
    return Math.min(room, most);
  }

  private static String named(Model model, Patches patches) {
    int inserted = inserted(model, patches);
    return inserted == 0
        ? model.name()
        : model.name() + " beside the " + inserted + " vectors that a delta puts in";
  }
}
