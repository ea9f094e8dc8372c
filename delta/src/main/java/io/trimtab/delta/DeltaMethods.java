package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** The delta methods on the class path. */
public final class DeltaMethods {
  private DeltaMethods() {}

  /** All methods, by name. */
  public static List<DeltaMethod> all() {
    List<DeltaMethod> all = new ArrayList<>();
    ServiceLoader.load(DeltaMethod.class, DeltaMethod.class.getClassLoader()).forEach(all::add);
    all.sort(Comparator.comparing(DeltaMethod::name));
    return List.copyOf(all);
  }

  /** The method of that name. */
  public static DeltaMethod named(String name) {
    return all().stream()
        .filter(method -> method.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new DeltaException.Unsupported(
                    "found delta method \"" + name + "\", expected one of " + names()));
  }

  /** The method whose files {@code adapter_config.json} describes. */
  public static DeltaMethod of(ModelConfig config) {
    String type = config.text("peft_type");
    return all().stream()
        .filter(method -> method.peftTypes().contains(type))
        .findFirst()
        .orElseThrow(
            () ->
                new DeltaException.Unsupported(
                    "found peft_type "
                        + type
                        + " in "
                        + config.path()
                        + ", expected one of "
                        + all().stream()
                            .flatMap(method -> method.peftTypes().stream())
                            .distinct()
                            .sorted()
                            .collect(Collectors.joining(", "))
                        + "; other methods are not read yet"));
  }

  private static String names() {
    return all().stream()
        .filter(DeltaMethod::standsAlone)
        .map(DeltaMethod::name)
        .collect(Collectors.joining(", "));
  }
}
