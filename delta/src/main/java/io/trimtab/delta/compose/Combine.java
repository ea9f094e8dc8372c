package io.trimtab.delta.compose;

import io.trimtab.delta.DeltaException;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** One patch made of several at the same site. */
final class Combine {
  private Combine() {}

  /** Each sees what the one before it made; prefixes and prompts stand one after the other. */
  static Patch inSequence(List<Patch> patches) {
    return switch (patches.getFirst()) {
      case Patch.Input _ ->
          (Patch.Input)
              (input, pass) -> through(patches, input, (p, x) -> ((Patch.Input) p).apply(x, pass));
      case Patch.Output _ ->
          (Patch.Output)
              (input, output, pass) ->
                  through(patches, output, (p, y) -> ((Patch.Output) p).apply(input, y, pass));
      case Patch.Residual _ ->
          (Patch.Residual)
              (sublayer, pass) ->
                  through(
                      patches,
                      sublayer.output(),
                      (p, y) -> ((Patch.Residual) p).apply(with(sublayer, y), pass));
      case Patch.Rows _ ->
          (Patch.Rows)
              (indices, rows, pass) ->
                  through(patches, rows, (p, y) -> ((Patch.Rows) p).apply(indices, y, pass));
      case Patch.Effective _ ->
          (Patch.Effective)
              (stored, pass) ->
                  through(patches, stored, (p, w) -> ((Patch.Effective) p).apply(w, pass));
      case Patch.KeysAndValues _ ->
          (Patch.KeysAndValues)
              (hidden, pass) -> {
                List<Patch.KeysAndValues.Prefix> all = prefixes(patches, hidden, pass);
                return new Patch.KeysAndValues.Prefix(
                    side(all, Patch.KeysAndValues.Prefix::keys),
                    side(all, Patch.KeysAndValues.Prefix::values));
              };
      case Patch.Inserted _ -> new OneAfterTheOther(inserted(patches));
    };
  }

  /** Σ w p(y), and, but for a mixture, the rest of 1 of y itself. */
  static Patch weighted(List<Patch> patches, List<Double> weights, boolean mixture) {
    double rest = mixture ? 0 : 1 - weights.stream().mapToDouble(weight -> weight).sum();
    return switch (patches.getFirst()) {
      case Patch.Input _ ->
          (Patch.Input)
              (input, pass) ->
                  sum(patches, weights, rest, input, p -> ((Patch.Input) p).apply(input, pass));
      case Patch.Output _ ->
          (Patch.Output)
              (input, output, pass) ->
                  sum(
                      patches,
                      weights,
                      rest,
                      output,
                      p -> ((Patch.Output) p).apply(input, output, pass));
      case Patch.Residual _ ->
          (Patch.Residual)
              (sublayer, pass) ->
                  sum(
                      patches,
                      weights,
                      rest,
                      sublayer.output(),
                      p -> ((Patch.Residual) p).apply(sublayer, pass));
      case Patch.Rows _ ->
          (Patch.Rows)
              (indices, rows, pass) ->
                  sum(
                      patches,
                      weights,
                      rest,
                      rows,
                      p -> ((Patch.Rows) p).apply(indices, rows, pass));
      case Patch.Effective _ ->
          (Patch.Effective)
              (stored, pass) ->
                  sum(
                      patches,
                      weights,
                      rest,
                      stored,
                      p -> ((Patch.Effective) p).apply(stored, pass));
      case Patch.KeysAndValues _, Patch.Inserted _ ->
          throw new DeltaException.Unsupported(
              "found prefixes or prompts in a weighted sum, expected deltas that change numbers:"
                  + " tokens that are put in have nothing to be weighed against; use a union");
    };
  }

  private interface Step {
    Tensor apply(Patch patch, Tensor at);
  }

  private static Tensor through(List<Patch> patches, Tensor start, Step step) {
    Tensor at = start;
    for (Patch patch : patches) {
      at = step.apply(patch, at);
    }
    return at;
  }

  private static Tensor sum(
      List<Patch> patches,
      List<Double> weights,
      double rest,
      Tensor start,
      Function<Patch, Tensor> changed) {
    Tensor sum = Arithmetic.multiply(start, rest);
    for (int i = 0; i < patches.size(); i++) {
      sum = Arithmetic.addScaled(sum, changed.apply(patches.get(i)), weights.get(i));
    }
    return sum;
  }

  /** The same sublayer with another output. */
  static Patch.Residual.Sublayer with(Patch.Residual.Sublayer sublayer, Tensor output) {
    return new Patch.Residual.Sublayer(
        sublayer.input(), output, sublayer.residual(), sublayer.norm());
  }

  private static List<Patch.KeysAndValues.Prefix> prefixes(
      List<Patch> patches, Tensor hidden, Pass pass) {
    return patches.stream().map(p -> ((Patch.KeysAndValues) p).apply(hidden, pass)).toList();
  }

  private static Tensor side(
      List<Patch.KeysAndValues.Prefix> all, Function<Patch.KeysAndValues.Prefix, Tensor> which) {
    long rows = all.stream().mapToLong(prefix -> which.apply(prefix).size(0)).max().orElse(1);
    List<Tensor> parts = new ArrayList<>();
    for (Patch.KeysAndValues.Prefix prefix : all) {
      Tensor part = which.apply(prefix);
      parts.add(
          part.size(0) == rows ? part : Indexing.expand(part, rows, part.size(1), part.size(2)));
    }
    return Indexing.concat(parts, 1);
  }

  private static List<Patch.Inserted> inserted(List<Patch> patches) {
    List<Patch.Inserted> all = patches.stream().map(Patch.Inserted.class::cast).toList();
    if (all.stream().map(Patch.Inserted::before).distinct().count() != 1) {
      throw new DeltaException.Unsupported(
          "found prompts that go to different places of a row, expected all in one place; compose"
              + " others");
    }
    return all;
  }

  private record OneAfterTheOther(List<Patch.Inserted> prompts) implements Patch.Inserted {
    @Override
    public int count() {
      return prompts.stream().mapToInt(Patch.Inserted::count).sum();
    }

    @Override
    public int before() {
      return prompts.getFirst().before();
    }

    @Override
    public Tensor vectors(Pass pass) {
      return Indexing.concat(prompts.stream().map(prompt -> prompt.vectors(pass)).toList(), 0);
    }
  }
}
