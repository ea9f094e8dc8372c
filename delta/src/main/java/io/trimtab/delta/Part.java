package io.trimtab.delta;

import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** One patch of a delta with the parameters it owns. */
public interface Part {
  /** Where it acts. */
  Site<?> site();

  /**
   * Whether it changes what it finds at its site, so that another part can act there before it; one
   * that puts something of its own in the place would undo what the other did.
   */
  default boolean buildsOnOthers() {
    return true;
  }

  /** What it does there. */
  Patch patch();

  /** Its parameters; a parameter's name is its key in files, without a prefix. */
  List<Parameter> parameters();

  /**
   * Tensors that it needs and that are stored but not trained: a frozen projection, indices. Parts
   * may share one, and parameters too.
   */
  default List<Parameter> constants() {
    return List.of();
  }

  /**
   * Names under which files of PEFT may hold one of its tensors once more, each with the name of
   * that tensor. They are not written; where a file has one, it must hold the same numbers.
   */
  default Map<String, String> aliases() {
    return Map.of();
  }

  /** The names of the base tensors that it was tuned for; it may merge into all of them. */
  List<String> baseTensors();

  /**
   * A base tensor with this part's effect built in.
   *
   * @param name which of {@link #baseTensors}
   * @param stored the tensor of that name, which stays as it is
   * @return {@code stored} itself where this part does not change it
   * @throws DeltaException.Unsupported where the base has no tensor that the effect would fit in
   */
  Tensor merge(String name, Tensor stored);
}
