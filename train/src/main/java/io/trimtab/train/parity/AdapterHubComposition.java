package io.trimtab.train.parity;

import io.trimtab.delta.Delta;
import io.trimtab.delta.adapterhub.AdapterHubFormat;
import io.trimtab.delta.adapterhub.AdapterHubFusion;
import io.trimtab.delta.compose.Composition;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A recorded composition of two adapters, which its note tells: {@code stack of ../A (p) and q},
 * {@code fuse of …}, {@code average of …, weights 0.25 and 0.75}.
 */
final class AdapterHubComposition {
  private static final Pattern NOTE =
      Pattern.compile(
          "(?<how>stack|average|fuse) of (?<path>\\S+) \\((?<first>[\\w-]+)\\) and"
              + " (?<second>[\\w-]+)(?:, weights (?<weights>\\S+ and \\S+))?.*");

  private AdapterHubComposition() {}

  static Delta load(Path directory, ModelConfig meta, Model model) {
    Matcher note = NOTE.matcher(meta.text("note", ""));
    if (!note.matches()) {
      throw new ParityException.Unsupported(
          "found the note \""
              + meta.text("note", "")
              + "\", expected a stack, an average or a fuse of two adapters; others are not known");
    }
    AdapterHubFormat format = new AdapterHubFormat();
    SequencedMap<String, Delta> adapters = new LinkedHashMap<>();
    Path first = directory.resolve(note.group("path")).normalize();
    adapters.put(note.group("first"), format.load(first, model));
    adapters.put(note.group("second"), format.load(directory.resolve(note.group("second")), model));
    return switch (note.group("how")) {
      case "fuse" -> AdapterHubFusion.load(directory.resolve("fusion"), adapters, model);
      case "average" ->
          Composition.compose(
              Composition.How.MIXTURE, adapters, weights(note.group("weights")), Rng.seeded(0));
      default -> Composition.compose(Composition.How.SEQUENCE, adapters, List.of(), Rng.seeded(0));
    };
  }

  /** The library takes the mean of the outputs by weight, so that it divides by 2 once more. */
  private static List<Double> weights(@Nullable String said) {
    return Stream.of(said == null ? new String[] {"0.5", "0.5"} : said.split(" and "))
        .map(weight -> Double.parseDouble(weight) / 2)
        .toList();
  }
}
