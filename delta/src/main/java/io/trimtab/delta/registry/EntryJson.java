package io.trimtab.delta.registry;

import io.trimtab.hub.ModelConfig;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/**
 * An entry as {@code entry.json} beside the delta's files. It stands on Jackson's streaming core
 * alone, which starts faster than its object mapper.
 */
final class EntryJson {
  /** The file's name. */
  static final String FILE = "entry.json";

  /** What this version writes, and the last one it reads. */
  private static final int FORMAT = 1;

  private EntryJson() {}

  static String write(DeltaEntry entry) {
    StringWriter text = new StringWriter();
    ObjectWriteContext context =
        new ObjectWriteContext.Base() {
          @Override
          public PrettyPrinter getPrettyPrinter() {
            return new DefaultPrettyPrinter();
          }
        };
    try (JsonGenerator json = new JsonFactory().createGenerator(context, text)) {
      json.writeStartObject();
      json.writeNumberProperty("format", FORMAT);
      json.writeStringProperty("created", entry.created().toString());
      json.writeStringProperty("method", entry.method());
      json.writeStringProperty("base", entry.base());
      json.writeStringProperty("licence", entry.notes().licence());
      json.writeStringProperty("text", entry.notes().text());
      numbers(json, "metrics", entry.notes().metrics());
      json.writeName("parents").writeStartArray();
      for (EntryNotes.Parent parent : entry.notes().parents()) {
        json.writeStartObject();
        json.writeStringProperty("delta", parent.delta());
        json.writeStringProperty("how", parent.how());
        json.writeNumberProperty("weight", parent.weight());
        json.writeEndObject();
      }
      json.writeEndArray();
      RunFacts run = entry.notes().run();
      if (run != null) {
        json.writeName("run").writeStartObject();
        json.writeStringProperty("directory", run.directory());
        json.writeStringProperty("sha256", run.sha256());
        texts(json, "hashes", run.hashes());
        json.writeName("seeds").writeStartObject();
        run.seeds().forEach(json::writeNumberProperty);
        json.writeEndObject();
        numbers(json, "metrics", run.metrics());
        json.writeEndObject();
      }
      json.writeName("files").writeStartObject();
      entry
          .manifest()
          .files()
          .forEach(
              (name, content) -> {
                json.writeName(name).writeStartObject();
                json.writeStringProperty("sha256", content.sha256());
                json.writeNumberProperty("bytes", content.bytes());
                json.writeEndObject();
              });
      json.writeEndObject();
      texts(json, "fingerprints", entry.fingerprints());
      json.writeEndObject();
    }
    return text + "\n";
  }

  private static void texts(JsonGenerator json, String name, Map<String, String> values) {
    json.writeName(name).writeStartObject();
    values.forEach(json::writeStringProperty);
    json.writeEndObject();
  }

  private static void numbers(JsonGenerator json, String name, Map<String, Double> values) {
    json.writeName(name).writeStartObject();
    values.forEach(json::writeNumberProperty);
    json.writeEndObject();
  }

  /**
   * Reads one.
   *
   * @throws RegistryException for one of a later version
   * @throws io.trimtab.hub.HubException where it is damaged
   */
  static DeltaEntry read(Path file) {
    ModelConfig json = ModelConfig.read(file);
    int format = json.integer("format");
    if (format > FORMAT) {
      throw new RegistryException(
          "found format "
              + format
              + " in "
              + file
              + ", expected at most "
              + FORMAT
              + "; it was written by a later version of Trimtab");
    }
    SortedMap<String, DeltaManifest.Content> files = new TreeMap<>();
    ModelConfig listed = json.section("files");
    for (String name : listed.fields()) {
      ModelConfig one = listed.section(name);
      files.put(name, new DeltaManifest.Content(one.text("sha256"), (long) one.decimal("bytes")));
    }
    EntryNotes notes =
        new EntryNotes(
            json.sections("parents").stream()
                .map(
                    one ->
                        new EntryNotes.Parent(
                            one.text("delta"), one.text("how"), one.decimal("weight")))
                .toList(),
            run(json),
            numbers(json, "metrics"),
            json.text("licence"),
            json.text("text"));
    return new DeltaEntry(
        new DeltaManifest(files),
        json.text("method"),
        json.text("base"),
        texts(json, "fingerprints"),
        notes,
        created(json));
  }

  private static Instant created(ModelConfig json) {
    try {
      return Instant.parse(json.text("created"));
    } catch (DateTimeException e) {
      throw new RegistryException(
          "found created \""
              + json.text("created")
              + "\" in "
              + json.path()
              + ", expected a time such as 2030-01-31T12:00:00Z; the file is damaged",
          e);
    }
  }

  private static @Nullable RunFacts run(ModelConfig json) {
    if (!json.has("run")) {
      return null;
    }
    ModelConfig run = json.section("run");
    SortedMap<String, Long> seeds = new TreeMap<>();
    numbers(run, "seeds").forEach((name, seed) -> seeds.put(name, seed.longValue()));
    return new RunFacts(
        run.text("directory"),
        run.text("sha256"),
        texts(run, "hashes"),
        seeds,
        numbers(run, "metrics"));
  }

  private static SortedMap<String, String> texts(ModelConfig json, String name) {
    SortedMap<String, String> out = new TreeMap<>();
    ModelConfig section = json.section(name);
    section.fields().forEach(field -> out.put(field, section.text(field)));
    return out;
  }

  private static SortedMap<String, Double> numbers(ModelConfig json, String name) {
    SortedMap<String, Double> out = new TreeMap<>();
    ModelConfig section = json.section(name);
    section.fields().forEach(field -> out.put(field, section.decimal(field)));
    return out;
  }
}
