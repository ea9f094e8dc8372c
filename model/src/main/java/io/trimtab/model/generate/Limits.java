package io.trimtab.model.generate;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import io.trimtab.model.Patches;
import io.trimtab.model.Stack;
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
  private static final String FORCED_BEGIN = "forced_bos_token_id";

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

  /**
   * The token that the files of an encoder-decoder force behind the one that its decoder starts
   * from; empty where they force none.
   */
  static OptionalInt forcedBegin(ModelConfig config) {
    return Stream.concat(beside(config).stream(), Stream.of(config))
        .filter(each -> each.isNumber(FORCED_BEGIN))
        .mapToInt(each -> each.integer(FORCED_BEGIN))
        .findFirst();
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

  /**
   * The positions left for a decoder's tokens beside the vectors that patches put into every row.
   */
  static OptionalInt positions(Model model, Patches patches) {
    return positions(model, model.stacks().getLast(), patches);
  }

  /**
   * Those of a stack. Of an encoder-decoder they are counted by its tables of positions: what T5's
   * files name is the length that it was trained with, and bounds nothing.
   */
  private static OptionalInt positions(Model model, Stack stack, Patches patches) {
    OptionalInt all =
        model.isEncoderDecoder() ? stack.embeddings().maximumLength() : positions(model.config());
    return all.isEmpty()
        ? all
        : OptionalInt.of(all.getAsInt() - stack.embeddings().inserted(patches));
  }

  /**
   * Checks that there are positions for all tokens that a continuation is foretold from.
   *
   * @throws GenerateException where there are not
   */
  static void checkRoom(Model model, Patches patches, Scorer.Pair pair) {
    checkRead(model, patches, pair.prompt());
    OptionalInt positions = positions(model, patches);
    int opening = model.isEncoderDecoder() ? Openings.start(model).length : pair.prompt().length;
    int needed = opening + pair.continuation().length;
    GenerateException.check(
        positions.isEmpty() || needed <= positions.getAsInt() + 1,
        model.isEncoderDecoder() ? "a continuation of" : "a prompt and continuation of",
        needed + " tokens",
        "up to the "
            + positions.orElse(0)
            + " positions of "
            + named(model, model.stacks().getLast(), patches));
  }

  /**
   * Checks that there are positions for what the encoder of an encoder-decoder reads.
   *
   * @throws GenerateException where there are not
   */
  private static void checkRead(Model model, Patches patches, int[] prompt) {
    if (model.isEncoderDecoder()) {
      Stack encoder = model.stacks().getFirst();
      OptionalInt positions = positions(model, encoder, patches);
      GenerateException.check(
          positions.isEmpty() || prompt.length <= positions.getAsInt(),
          "a prompt of",
          prompt.length + " tokens",
          "up to the "
              + positions.orElse(0)
              + " positions of the encoder of "
              + named(model, encoder, patches)
              + "; shorten it");
    }
  }

  /** How many tokens can come after a prompt, up to {@code most}. */
  static int room(Model model, Patches patches, int[] prompt, int most) {
    if (prompt.length == 0) {
      throw new GenerateException(
          "found a prompt of no tokens, expected at least one; begin with the token that begins"
              + " texts");
    }
    checkRead(model, patches, prompt);
    OptionalInt positions = positions(model, patches);
    if (positions.isEmpty()) {
      return most;
    }
    int opening = model.isEncoderDecoder() ? Openings.start(model).length : prompt.length;
    int room = positions.getAsInt() - opening;
    if (room < 1) {
      throw new GenerateException(
          "found a prompt of "
              + opening
              + " tokens, expected fewer than the "
              + positions.getAsInt()
              + " positions of "
              + named(model, model.stacks().getLast(), patches)
              + "; shorten it");
    }
    return Math.min(room, most);
  }

  private static String named(Model model, Stack stack, Patches patches) {
    int inserted = stack.embeddings().inserted(patches);
    return inserted == 0
        ? model.name()
        : model.name() + " beside the " + inserted + " vectors that a delta puts in";
  }
}
