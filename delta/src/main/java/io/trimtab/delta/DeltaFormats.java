package io.trimtab.delta;

import io.trimtab.model.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** The layouts of files on the class path. */
public final class DeltaFormats {
  private DeltaFormats() {}

  /** All layouts, by name. */
  public static List<DeltaFormat> all() {
    List<DeltaFormat> all = new ArrayList<>();
    ServiceLoader.load(DeltaFormat.class, DeltaFormat.class.getClassLoader()).forEach(all::add);
    all.sort(Comparator.comparing(DeltaFormat::name));
    return List.copyOf(all);
  }

  /** The layout of that name. */
  public static DeltaFormat named(String name) {
    return all().stream()
        .filter(format -> format.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new DeltaException.Unsupported(
                    "found delta format \""
                        + name
                        + "\", expected one of "
                        + all().stream().map(DeltaFormat::name).collect(Collectors.joining(", "))));
  }

  /**
   * The layout that a directory or file is of.
   *
   * @throws DeltaException where it is of none
   */
  public static DeltaFormat of(Path path) {
    return all().stream()
        .filter(format -> format.recognises(path))
        .findFirst()
        .orElseThrow(
            () ->
                new DeltaException(
                    "found no delta at "
                        + path
                        + ", expected "
                        + all().stream()
                            .map(format -> format.files() + " (" + format.name() + ")")
                            .collect(Collectors.joining(", or "))));
  }

  /** Reads a delta of any layout for a model; see {@link DeltaFormat#load}. */
  public static Delta load(Path path, Model model) {
    return of(path).load(path, model);
  }
}
