package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.model.Batch;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** What tests of one delta method share: a tiny model, its results, its files, its errors. */
public final class MethodFixture implements AutoCloseable {
  private final DeltaMethod method;
  private final Path directory;
  private final Model model;

  private MethodFixture(DeltaMethod method, Path directory) {
    this.method = method;
    this.directory = directory;
    model = TinyModels.maskedLm(directory.resolve("tiny"));
  }

  /** A method over a tiny model, hidden 16, in a directory of the test's. */
  public static MethodFixture of(String method, Path directory) {
    return new MethodFixture(DeltaMethods.named(method), directory);
  }

  /** The model. */
  public Model model() {
    return model;
  }

  /** The settings that {@code key=value} options mean. */
  public DeltaSpec spec(String... options) {
    return method.fromOptions(
        Arrays.stream(options)
            .map(option -> option.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1])),
        model);
  }

  /** A delta of these settings. */
  public Delta attach(DeltaSpec spec) {
    return spec.attach(model, Rng.seeded(1));
  }

  /** A delta of these settings whose parameters have moved. */
  public Delta moved(DeltaSpec spec) {
    Delta delta = attach(spec);
    TinyModels.move(delta, 3);
    return delta;
  }

  /** The results under a delta. */
  public float[] with(Delta delta) {
    Batch batch = TinyModels.batch();
    return TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
  }

  /** The results in training. */
  public float[] training(Delta delta, long seed) {
    Batch batch = TinyModels.batch();
    Pass pass = Pass.with(batch.layout(), delta.patches()).training(Rng.seeded(seed));
    return TinyModels.numbers(model, batch, pass);
  }

  /** The results of the model alone. */
  public float[] plain() {
    Batch batch = TinyModels.batch();
    return TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
  }

  /** Writes a delta, changes the text of its settings, and says where it is. */
  public Path saved(Delta delta, UnaryOperator<String> change) {
    Path folder = directory.resolve("saved");
    DeltaFiles.save(delta, folder);
    try {
      Path config = folder.resolve(DeltaFiles.CONFIG);
      Files.writeString(config, change.apply(Files.readString(config)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return folder;
  }

  /** Reads one. */
  public Delta load(Path folder) {
    return DeltaFiles.load(folder, model);
  }

  /** Expects options to be refused with a message that names something. */
  public void refuses(String named, String... options) {
    assertThatThrownBy(() -> attach(spec(options)).close())
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining(named)
        .hasMessageContaining("expected");
  }

  /** Expects settings in a file to be refused with a message that names something. */
  public void refusesFile(Delta delta, String named, UnaryOperator<String> change) {
    Path folder = saved(delta, change);
    assertThatThrownBy(() -> load(folder).close())
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining(named)
        .hasMessageContaining("expected");
  }

  /**
   * How many numbers a method trains on the queries and values of Llama-3.2-3B, 28 layers of 3072
   * inputs and 3072 and 1024 outputs, whose weights take no memory here.
   */
  public static long countOnLlama(Function<Linear, List<Part>> parts) {
    long count = 0;
    for (long out : new long[] {3072, 1024}) {
      Tensor weight = Indexing.expand(Creation.zeros(DType.F32, Device.CPU, 1, 1), out, 3072);
      Linear linear = new Linear("layer", new Weight.Dense(weight), null);
      for (Part part : parts.apply(linear)) {
        count += part.parameters().stream().mapToLong(p -> p.value().elements()).sum();
        part.parameters().forEach(io.trimtab.tensor.Parameter::close);
      }
    }
    return 28 * count;
  }

  /** Options that are not there. */
  public void refusesUnknown() {
    assertThatThrownBy(() -> method.fromOptions(Map.of("colour", "red"), model))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("colour");
  }

  @Override
  public void close() {
    model.close();
  }
}
