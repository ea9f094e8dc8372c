package io.trimtab.delta.compose;

import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.tensor.Tensor;
import java.util.List;

/** Patches made of others, which say of a row's tokens what these say. */
final class WholeRows {
  private WholeRows() {}

  /** {@code patch}, which reads whole rows or changes as they grow where any of its parts does. */
  static Patch like(List<? extends Patch> parts, Patch patch) {
    Needs needs =
        new Needs(
            parts.stream().anyMatch(Patch::readsWholeRows),
            parts.stream().anyMatch(Patch::changesAsRowsGrow));
    if (needs.equals(new Needs(patch.readsWholeRows(), patch.changesAsRowsGrow()))) {
      return patch;
    }
    return switch (patch) {
      case Patch.Input input -> new OfInput(input, needs);
      case Patch.Output output -> new OfOutput(output, needs);
      case Patch.Residual residual -> new OfResidual(residual, needs);
      case Patch.KeysAndValues prefix -> new OfPrefix(prefix, needs);
      case Patch.Rows rows -> rows; // the rest does not see what is computed of a row
      case Patch.Effective effective -> effective;
      case Patch.Inserted inserted -> inserted;
    };
  }

  private record Needs(boolean whole, boolean growing) {}

  private record OfInput(Patch.Input patch, Needs needs) implements Patch.Input {
    @Override
    public Tensor apply(Tensor input, Pass pass) {
      return patch.apply(input, pass);
    }

    @Override
    public boolean readsWholeRows() {
      return needs.whole();
    }

    @Override
    public boolean changesAsRowsGrow() {
      return needs.growing();
    }
  }

  private record OfOutput(Patch.Output patch, Needs needs) implements Patch.Output {
    @Override
    public Tensor apply(Tensor input, Tensor output, Pass pass) {
      return patch.apply(input, output, pass);
    }

    @Override
    public boolean readsWholeRows() {
      return needs.whole();
    }

    @Override
    public boolean changesAsRowsGrow() {
      return needs.growing();
    }
  }

  private record OfResidual(Patch.Residual patch, Needs needs) implements Patch.Residual {
    @Override
    public Tensor apply(Sublayer sublayer, Pass pass) {
      return patch.apply(sublayer, pass);
    }

    @Override
    public boolean readsWholeRows() {
      return needs.whole();
    }

    @Override
    public boolean changesAsRowsGrow() {
      return needs.growing();
    }
  }

  private record OfPrefix(Patch.KeysAndValues patch, Needs needs) implements Patch.KeysAndValues {
    @Override
    public Prefix apply(Tensor hidden, Pass pass) {
      return patch.apply(hidden, pass);
    }

    @Override
    public int shift() {
      return patch.shift();
    }

    @Override
    public boolean readsWholeRows() {
      return needs.whole();
    }

    @Override
    public boolean changesAsRowsGrow() {
      return needs.growing();
    }
  }
}
