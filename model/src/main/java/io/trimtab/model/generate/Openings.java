package io.trimtab.model.generate;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import java.util.List;
import java.util.OptionalInt;

/**
 * What a decoder is given before it makes anything: a decoder alone the prompt itself; that of an
 * encoder-decoder the tokens that all its texts begin with, while the encoder reads the prompt.
 */
final class Openings {
  private final Model model;
  private final Patches patches;
  private final int[] start;

  /** Those of a model under patches. */
  Openings(Model model, Patches patches) {
    this.model = model;
    this.patches = patches;
    this.start = model.isEncoderDecoder() ? start(model) : new int[0];
  }

  /**
   * What all texts of an encoder-decoder begin with: the token that its decoder starts from, and
   * the one behind it that its files force, if any.
   */
  static int[] start(Model model) {
    int first = model.decoderStart();
    OptionalInt forced = Limits.forcedBegin(model.config());
    return forced.isPresent() ? new int[] {first, forced.getAsInt()} : new int[] {first};
  }

  /** The tokens that a decoder is given first. */
  int[] of(int[] prompt) {
    return model.isEncoderDecoder() ? start : prompt;
  }

  /**
   * A pass over what decoders are given, from the first of it on.
   *
   * @param decoded a row for each prompt, which begins as {@link #of} says
   */
  Pass pass(Batch decoded, List<int[]> prompts) {
    Pass pass = Pass.with(decoded.layout(), patches);
    if (!model.isEncoderDecoder()) {
      return pass;
    }
    Batch read = batch(prompts);
    return pass.reading(model.encode(read, Pass.with(read.layout(), patches)));
  }

  static Batch batch(List<int[]> rows) {
    return Batch.of(rows.stream().map(Batch.Row::of).toList());
  }
}
