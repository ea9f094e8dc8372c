package io.trimtab.prompt;

import io.trimtab.hub.AtomicFiles;
import io.trimtab.hub.EncodeOptions.TruncationSide;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/**
 * What a tuned delta is for, as {@code task.json} beside its files.
 *
 * @param base the name of the model that it was tuned on
 * @param cloze the task
 */
public record TaskFile(String base, Cloze cloze) {
  /** The file's name. */
  public static final String NAME = "task.json";

  /** What this version writes, and the last one it reads. */
  private static final int FORMAT = 1;

  /**
   * Writes {@code task.json} into a directory, over an earlier one, whole or not at all.
   *
   * @throws PromptException.TaskFile if it cannot be written
   */
  public void save(Path directory) {
    Path file = directory.resolve(NAME);
    try {
      Files.createDirectories(directory);
      AtomicFiles.write(file, json());
    } catch (IOException e) {
      throw new PromptException.TaskFile("cannot write " + file + ": " + e, e);
    }
  }

  private String json() {
    StringWriter text = new StringWriter();
    ObjectWriteContext context =
        new ObjectWriteContext.Base() {
          @Override
          public tools.jackson.core.PrettyPrinter getPrettyPrinter() {
            return new DefaultPrettyPrinter();
          }

          @Override
          public boolean hasPrettyPrinter() {
            return true;
          }
        };
    try (JsonGenerator out = new JsonFactory().createGenerator(context, text)) {
      out.writeStartObject();
      out.writeNumberProperty("format", FORMAT);
      out.writeStringProperty("task", "cloze");
      out.writeStringProperty("base", base);
      out.writeStringProperty("template", cloze.template().source());
      out.writeName("labels");
      strings(out, List.copyOf(cloze.verbalizer().words().keySet()));
      out.writeObjectPropertyStart("words");
      for (Map.Entry<String, List<String>> entry : cloze.verbalizer().words().entrySet()) {
        out.writeName(entry.getKey());
        strings(out, entry.getValue());
      }
      out.writeEndObject();
      out.writeNumberProperty("max_length", cloze.maxLength());
      out.writeStringProperty("truncate", cloze.side().name().toLowerCase(Locale.ROOT));
      out.writeEndObject();
    }
    return text + "\n";
  }

  private static void strings(JsonGenerator out, List<String> values) {
    out.writeStartArray();
    values.forEach(out::writeString);
    out.writeEndArray();
  }

  /**
   * Reads {@code task.json} of a directory.
   *
   * @throws PromptException.TaskFile if there is none, or it is damaged or of a later version
   */
  public static TaskFile read(Path directory) {
    Path file = directory.resolve(NAME);
    if (!Files.isRegularFile(file)) {
      throw new PromptException.TaskFile(
          "found no %s in %s, expected a run's directory or one that a tuned model was saved to"
              .formatted(NAME, directory));
    }
    try {
      if (TextTaskFile.isThere(directory)) {
        throw new PromptException.TaskFile(
            "found a language model's task in %s, expected one that classifies; it writes texts, and labels none"
                .formatted(file));
      }
      ModelConfig fields = ModelConfig.read(file);
      int format = fields.integer("format");
      if (format > FORMAT || !fields.text("task").equals("cloze")) {
        throw new PromptException.TaskFile(
            "found task \"%s\" of format %d in %s, expected \"cloze\" of format %d; use a later Trimtab"
                .formatted(fields.text("task"), format, file, FORMAT));
      }
      Verbalizer verbalizer = Verbalizer.EMPTY;
      ModelConfig words = fields.section("words");
      for (String label : fields.texts("labels")) {
        verbalizer = verbalizer.with(label, words.texts(label));
      }
      Cloze cloze =
          Cloze.of(Template.parse(fields.text("template")), verbalizer)
              .maxLength(fields.integer("max_length"))
              .truncate(side(fields.text("truncate"), file));
      return new TaskFile(fields.text("base"), cloze);
    } catch (HubException | PromptException.Syntax e) {
      throw new PromptException.TaskFile(
          "%s is damaged: %s; save the tuned model anew".formatted(file, e.getMessage()), e);
    }
  }

  private static TruncationSide side(String name, Path file) {
    for (TruncationSide side : TruncationSide.values()) {
      if (side.name().toLowerCase(Locale.ROOT).equals(name)) {
        return side;
      }
    }
    throw new PromptException.TaskFile(
        "found truncate \"%s\" in %s, expected left or right".formatted(name, file));
  }
}
