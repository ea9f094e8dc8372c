package io.trimtab.delta;

import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;

/** One patch of a delta with the parameters it owns. */
public interface Part {
  /** Where it acts. */
  Site<?> site();

  /** What it does there. */
  Patch patch();

  /** Its parameters; a parameter's name is its key in files, without PEFT's prefix. */
  List<Parameter> parameters();

  /** The base tensor it was tuned for, and merges into. */
  String baseTensor();

  /**
   * The base tensor with this part's effect built in.
   *
   * @param stored the base tensor, which stays as it is
   */
  Tensor merge(Tensor stored);
}
