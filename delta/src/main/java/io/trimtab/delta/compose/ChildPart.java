package io.trimtab.delta.compose;

import io.trimtab.delta.Part;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** A child's part whose parameters go by names that no other child has. */
final class ChildPart implements Part {
  private final Part part;
  private final String child;
  private final List<Parameter> parameters;
  private final List<Parameter> constants;

  /**
   * A part of the child of that name.
   *
   * @param known the child's parameters renamed so far, since its parts may share some
   */
  ChildPart(String child, Part part, Map<Parameter, Parameter> known) {
    this.child = child;
    this.part = part;
    parameters = part.parameters().stream().map(each -> renamed(child, each, known)).toList();
    constants = part.constants().stream().map(each -> renamed(child, each, known)).toList();
  }

  private static Parameter renamed(
      String child, Parameter parameter, Map<Parameter, Parameter> known) {
    return known.computeIfAbsent(parameter, own -> own.named(child + "/" + own.name()));
  }

  static Map<Parameter, Parameter> nothingKnown() {
    return new IdentityHashMap<>();
  }

  @Override
  public Site<?> site() {
    return part.site();
  }

  @Override
  public boolean buildsOnOthers() {
    return part.buildsOnOthers();
  }

  @Override
  public Patch patch() {
    return part.patch();
  }

  @Override
  public List<Parameter> parameters() {
    return parameters;
  }

  @Override
  public List<Parameter> constants() {
    return constants;
  }

  @Override
  public Map<String, String> aliases() {
    Map<String, String> aliases = new HashMap<>();
    part.aliases().forEach((name, of) -> aliases.put(child + "/" + name, child + "/" + of));
    return aliases;
  }

  @Override
  public List<String> baseTensors() {
    return part.baseTensors();
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return part.merge(name, stored);
  }
}
