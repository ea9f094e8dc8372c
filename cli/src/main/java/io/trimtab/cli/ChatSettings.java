package io.trimtab.cli;

import io.trimtab.model.generate.GenerateException;
import io.trimtab.model.generate.GenerateOptions;
import io.trimtab.model.generate.Sampling;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The settings of a chat by name, as {@code /set} takes and shows them. */
final class ChatSettings {
  private ChatSettings() {}

  /** All of them with their values. */
  static Map<String, Number> of(GenerateOptions options) {
    Sampling sampling = options.sampling();
    Map<String, Number> all = new LinkedHashMap<>();
    all.put("temperature", sampling.temperature());
    all.put("top-k", sampling.topK());
    all.put("top-p", sampling.topP());
    all.put("min-p", sampling.minP());
    all.put("typical", sampling.typicalP());
    all.put("repetition-penalty", sampling.repetitionPenalty());
    all.put("frequency-penalty", sampling.frequencyPenalty());
    all.put("presence-penalty", sampling.presencePenalty());
    all.put("max-tokens", options.maxTokens());
    all.put("seed", options.seed());
    return all;
  }

  /** The same with one changed. */
  static GenerateOptions changed(GenerateOptions options, String assignment) {
    int at = assignment.indexOf('=');
    String name = (at < 0 ? assignment : assignment.substring(0, at)).strip();
    String value = at < 0 ? "" : assignment.substring(at + 1).strip();
    name = name.toLowerCase(Locale.ROOT).replace('_', '-');
    Sampling s = options.sampling();
    try {
      return switch (name) {
        case "temperature" -> options.withSampling(s.withTemperature(Double.parseDouble(value)));
        case "top-k" -> options.withSampling(s.withTopK(Integer.parseInt(value)));
        case "top-p" -> options.withSampling(s.withTopP(Double.parseDouble(value)));
        case "min-p" -> options.withSampling(s.withMinP(Double.parseDouble(value)));
        case "typical" -> options.withSampling(s.withTypicalP(Double.parseDouble(value)));
        case "repetition-penalty" ->
            options.withSampling(
                s.withPenalties(
                    Double.parseDouble(value), s.frequencyPenalty(), s.presencePenalty()));
        case "frequency-penalty" ->
            options.withSampling(
                s.withPenalties(
                    s.repetitionPenalty(), Double.parseDouble(value), s.presencePenalty()));
        case "presence-penalty" ->
            options.withSampling(
                s.withPenalties(
                    s.repetitionPenalty(), s.frequencyPenalty(), Double.parseDouble(value)));
        case "max-tokens" -> options.withMaxTokens(Integer.parseInt(value));
        case "seed" -> options.withSeed(Long.parseLong(value));
        default ->
            throw new GenerateException(
                "found the setting \""
                    + name
                    + "\", expected one of "
                    + String.join(", ", of(options).keySet())
                    + ", as in /set temperature=0.7");
      };
    } catch (NumberFormatException e) {
      throw new GenerateException(
          "found \"" + value + "\" for " + name + ", expected a number, as in /set " + name + "=1");
    }
  }
}
