package io.trimtab.cli;

import io.trimtab.delta.registry.DeltaEntry;
import io.trimtab.delta.registry.DeltaName;
import io.trimtab.delta.registry.DeltaRegistry;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code trimtab delta list}: the deltas of this machine. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "List the deltas of the registry, the newest first.")
final class DeltaListCommand implements Callable<Integer> {
  private static final int SHORT = 12;

  @Mixin private CommonOptions common;
  @Mixin private RegistryOptions registry;

  @Override
  public Integer call() {
    DeltaRegistry kept = registry.open();
    List<DeltaEntry> entries = kept.list();
    SortedMap<DeltaName, String> names = kept.names();
    PrintWriter words = common.words();
    if (entries.isEmpty()) {
      words.println("no deltas in " + kept.root() + " yet; delta add puts one in");
    }
    for (DeltaEntry entry : entries) {
      words.printf(
          Locale.ROOT,
          "%s  %-20s %-14s %s  %s  %s%n",
          entry.id().substring(0, SHORT),
          String.join(" ", named(names, entry.id())),
          entry.method(),
          entry.created(),
          entry.base(),
          figures(entry));
    }
    words.flush();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("registry", kept.root().toString());
    result.put(
        "deltas",
        entries.stream().map(each -> DeltaJson.entry(each, named(names, each.id()))).toList());
    common.result(result);
    return 0;
  }

  private static String figures(DeltaEntry entry) {
    return entry.notes().metrics().entrySet().stream()
        .map(one -> String.format(Locale.ROOT, "%s %.4g", one.getKey(), one.getValue()))
        .collect(Collectors.joining(", "));
  }

  /** The names that point to an id. */
  static List<String> names(DeltaRegistry registry, String id) {
    return named(registry.names(), id);
  }

  private static List<String> named(SortedMap<DeltaName, String> names, String id) {
    return names.entrySet().stream()
        .filter(one -> one.getValue().equals(id))
        .map(one -> one.getKey().toString())
        .toList();
  }
}
