package io.trimtab.cli;

import io.trimtab.hub.Encoding;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import io.trimtab.model.Batch;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab fill}: the likeliest words at masks. */
@Command(
    name = "fill",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Show the likeliest words at every mask of a text.")
final class FillCommand implements Callable<Integer> {
  private static final String MASK = "[MASK]";

  @Spec private CommandSpec spec;
  @Mixin private WeightOptions weights;
  @Mixin private CommonOptions common;

  @Option(names = "--model", required = true, paramLabel = "MODEL", description = "The model.")
  private String model;

  @Option(
      names = "--text",
      required = true,
      paramLabel = "TEXT",
      description = "The text; [MASK] stands for the model's own mask token.")
  private String text;

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "5",
      description = "Words for each mask (default: ${DEFAULT-VALUE}).")
  private int top;

  @Override
  public Integer call() {
    try (LanguageModel opened = weights.open(model, common);
        Scope _ = Scope.open()) {
      Tokenizer tokenizer = opened.tokenizer();
      int maskId = tokenizer.specialId(SpecialToken.MASK);
      Encoding encoding = tokenizer.encode(text.replace(MASK, tokenizer.token(maskId)));
      int[] ids = encoding.ids();
      int[] masks =
          java.util.stream.IntStream.range(0, ids.length).filter(i -> ids[i] == maskId).toArray();
      if (masks.length == 0) {
        throw new CommandLine.ParameterException(
            spec.commandLine(), "found no " + MASK + " in the text, expected at least one");
      }
      if (top < 1 || top > tokenizer.vocabularySize()) {
        throw new CommandLine.ParameterException(
            spec.commandLine(),
            "found --top " + top + ", expected 1 to " + tokenizer.vocabularySize());
      }
      Batch batch = Batch.of(List.of(new Batch.Row(ids, new int[0])));
      Positions at = Positions.of(new int[][] {masks}, batch.layout());
      Tensor logits =
          Gradients.none(
              () -> opened.model().maskedLogits(batch, Pass.plain(batch.layout()), at, null));
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("model", model);
      result.put("text", text);
      result.put("masks", words(logits, masks, tokenizer));
      common.result(result);
    }
    return 0;
  }

  private List<Map<String, Object>> words(Tensor logits, int[] masks, Tokenizer tokenizer) {
    Reduction.Top best = Reduction.top(Neural.softmax(logits, -1), top);
    float[] probabilities = best.values().toFloats();
    long[] ids = best.indices().toLongs();
    List<Map<String, Object>> results = new ArrayList<>();
    for (int mask = 0; mask < masks.length; mask++) {
      if (masks.length > 1) {
        common.words().println("mask " + (mask + 1));
      }
      List<Map<String, Object>> words = new ArrayList<>();
      for (int i = mask * top; i < (mask + 1) * top; i++) {
        String word = tokenizer.token((int) ids[i]);
        common.words().printf(Locale.ROOT, "%6.3f  %s%n", probabilities[i], word);
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("word", word);
        found.put("probability", (double) probabilities[i]);
        words.add(found);
      }
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("position", masks[mask]);
      result.put("words", words);
      results.add(result);
    }
    common.words().flush();
    return results;
  }
}
