package io.trimtab.cli;

import io.trimtab.model.generate.Perplexity;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code trimtab perplexity}: how well a model foretells a text. */
@Command(
    name = "perplexity",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Measure how well a model foretells a text file, with a sliding window.")
final class PerplexityCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private DecoderOptions decoder;

  @Option(
      names = "--file",
      required = true,
      paramLabel = "FILE",
      description = "The text, in UTF-8.")
  private Path file;

  @Option(
      names = "--window",
      paramLabel = "N",
      description = "Tokens seen at once (default: the model's positions, up to 1024).")
  private @Nullable Integer size;

  @Option(
      names = "--stride",
      paramLabel = "N",
      description = "Tokens that the window moves by (default: half of it).")
  private @Nullable Integer stride;

  @Override
  public Integer call() {
    String text = read();
    return decoder.use(
        common,
        (model, patches) -> {
          Perplexity.Window usual = Perplexity.Window.of(model.model(), patches);
          int tokens = size == null ? usual.size() : size;
          int move = stride == null ? tokens / 2 : stride;
          Perplexity.Window window = new Perplexity.Window(tokens, move);
          PrintWriter remarks = common.remarks();
          Perplexity found =
              Perplexity.of(
                  model,
                  patches,
                  text,
                  window,
                  done -> {
                    if (common.terminal()) {
                      remarks.printf("\r%,d tokens", done);
                      remarks.flush();
                    }
                  });
          if (common.terminal()) {
            remarks.println();
            remarks.flush();
          }
          tell(found, window);
          return 0;
        });
  }

  private String read() {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void tell(Perplexity found, Perplexity.Window window) {
    common
        .words()
        .printf(
            Locale.ROOT,
            "perplexity %.4f over %d tokens, %.4f bits a byte%n",
            found.value(),
            found.tokens(),
            found.bitsPerByte().orElseThrow());
    common.words().flush();
    Map<String, Object> result = new LinkedHashMap<>();
    decoder.describe(result);
    result.put("perplexity", found.value());
    result.put("log_probability", found.logProbability());
    result.put("tokens", found.tokens());
    result.put("bits_per_byte", found.bitsPerByte().orElseThrow());
    result.put("window", window.size());
    result.put("stride", window.stride());
    common.result(result);
  }
}
