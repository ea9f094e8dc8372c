package io.trimtab.cli;

import io.trimtab.delta.compat.Compatibility;
import io.trimtab.delta.lora.LoraReport;
import io.trimtab.delta.registry.DeltaEntry;
import io.trimtab.delta.registry.EntryNotes;
import io.trimtab.delta.registry.RunFacts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the commands about deltas say to programs. */
final class DeltaJson {
  private DeltaJson() {}

  static Map<String, Object> entry(DeltaEntry entry, List<String> names) {
    EntryNotes notes = entry.notes();
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("id", entry.id());
    out.put("names", names);
    out.put("method", entry.method());
    out.put("base", entry.base());
    out.put("created", entry.created().toString());
    out.put("bytes", entry.manifest().bytes());
    out.put("metrics", notes.metrics());
    out.put("licence", notes.licence());
    out.put("about", notes.text());
    out.put(
        "parents",
        notes.parents().stream()
            .map(
                parent ->
                    Map.of("delta", parent.delta(), "how", parent.how(), "weight", parent.weight()))
            .toList());
    RunFacts run = notes.run();
    if (run != null) {
      out.put("run", Map.of("directory", run.directory(), "sha256", run.sha256()));
    }
    Map<String, Object> files = new LinkedHashMap<>();
    entry.manifest().files().forEach((name, content) -> files.put(name, content.sha256()));
    out.put("files", files);
    out.put("base_tensors", entry.fingerprints().size());
    return out;
  }

  static Map<String, Object> layer(LoraReport layer) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("layer", layer.path());
    out.put("rank", layer.rank());
    out.put("energy", layer.energy());
    out.put("distance", layer.distance());
    return out;
  }

  static Map<String, Object> compatibility(Compatibility one) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("program", one.program());
    out.put("as_of", one.asOf());
    out.put("status", one.status().name().toLowerCase(Locale.ROOT));
    out.put(
        "findings",
        one.findings().stream()
            .map(
                finding -> {
                  Map<String, Object> fields = new LinkedHashMap<>();
                  fields.put("effect", finding.effect().name().toLowerCase(Locale.ROOT));
                  fields.put("field", finding.field());
                  fields.put("found", finding.found());
                  fields.put("why", finding.why());
                  return fields;
                })
            .toList());
    return out;
  }
}
