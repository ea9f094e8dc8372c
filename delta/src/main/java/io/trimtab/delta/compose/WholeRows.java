package io.trimtab.delta.compose;

import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.tensor.Tensor;

/** Patches that say that they need all tokens of a row, read or not. */
final class WholeRows {
  private WholeRows() {}

  /** The same patch, which says so where {@code needed}. */
  static Patch where(boolean needed, Patch patch) {
    if (!needed || patch.readsWholeRows()) {
      return patch;
    }
    return switch (patch) {
      case Patch.Input input -> new OfInput(input);
      case Patch.Output output -> new OfOutput(output);
      case Patch.Residual residual -> new OfResidual(residual);
      case Patch.Rows rows -> rows; // embeddings compute all tokens anyway, as keys and values do
      case Patch.Effective effective -> effective;
      case Patch.KeysAndValues prefix -> prefix;
      case Patch.Inserted inserted -> inserted;
    };
  }

  private record OfInput(Patch.Input patch) implements Patch.Input {
    @Override
    public Tensor apply(Tensor input, Pass pass) {
      return patch.apply(input, pass);
    }

    @Override
    public boolean readsWholeRows() {
      return true;
    }
  }

  private record OfOutput(Patch.Output patch) implements Patch.Output {
    @Override
    public Tensor apply(Tensor input, Tensor output, Pass pass) {
      return patch.apply(input, output, pass);
    }

    @Override
    public boolean readsWholeRows() {
      return true;
    }
  }

  private record OfResidual(Patch.Residual patch) implements Patch.Residual {
    @Override
    public Tensor apply(Sublayer sublayer, Pass pass) {
      return patch.apply(sublayer, pass);
    }

    @Override
    public boolean readsWholeRows() {
      return true;
    }
  }
}
