package io.trimtab.delta.randlora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.Dense;
import io.trimtab.delta.Part;
import io.trimtab.delta.TinyModels;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RandLoraTest {
  @TempDir Path directory = Path.of("");

  /** The bases' two flattenings, the one rank by rank and the other basis by basis, as in PEFT. */
  @Property(tries = 25)
  void isTheSumOverScaledBases(
      @ForAll @IntRange(min = 1, max = 9) int out,
      @ForAll @IntRange(min = 1, max = 9) int in,
      @ForAll @IntRange(min = 1, max = 4) int rank) {
    try (Scope _ = Scope.open()) {
      // A larger layer beside, so that corners are cut.
      List<Linear> layers = List.of(Dense.layer("a", out, in), Dense.layer("b", 10, 11));
      Part part = RandLora.rank(rank).alpha(3).parts(layers).getFirst();
      Dense.check(part, layers.getFirst(), (o, i) -> 0);
      Dense.move(part, 2);
      int small = Math.min(in, out);
      int n = (small + rank - 1) / rank;
      int all = (10 + rank - 1) / rank;
      double[] lambda = Dense.numbers(part, "randlora_lambda");
      double[] gamma = Dense.numbers(part, "randlora_gamma");
      double[] a = part.constants().get(0).value().toDoubles();
      double[] b = part.constants().get(1).value().toDoubles();
      Dense.check(
          part,
          layers.getFirst(),
          (o, i) -> {
            int s = in == small ? i : o;
            int l = in == small ? o : i;
            double sum = 0;
            for (int flat = 0; flat < n * rank; flat++) {
              int k = flat / n;
              int basis = flat % n;
              double scaled = lambda[k * n + basis] * a[k * 10 + s] * gamma[basis * small + s];
              sum += scaled * b[(l * all + flat / rank) * rank + flat % rank];
            }
            return 3.0 / rank * sum;
          });
    }
  }

  @Test
  void countsAsPublishedForLlama() {
    try (Scope _ = Scope.open()) {
      List<Linear> block = List.of(Dense.hollow("q", 3072, 3072), Dense.hollow("v", 1024, 3072));
      assertThat(28 * Dense.count(RandLora.rank(32).parts(block))).isEqualTo(9_289_728);
    }
  }

  @Test
  void aFileMayRepeatTheBasesAtEveryLayerButNotChangeThem() throws IOException {
    Path recorded =
        TinyModels.fixtures("peft").stream()
            .filter(path -> path.endsWith("randlora-bert"))
            .findFirst()
            .orElse(directory);
    assumeTrue(!recorded.equals(directory), "no recorded adapters at -Dtrimtab.fixtures");
    Path damaged = directory.resolve("damaged");
    Files.createDirectories(damaged);
    Files.copy(recorded.resolve(DeltaFiles.CONFIG), damaged.resolve(DeltaFiles.CONFIG));
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    String changed = "base_model.model.bert.encoder.layer.1.attention.self.query.randlora_A";
    try (Scope _ = Scope.open();
        TensorFile file = Safetensors.open(recorded.resolve(DeltaFiles.TENSORS))) {
      for (String name : file.names()) {
        var info = file.info(name);
        Tensor tensor = Creation.copyOf(file.bytes(name), info.dtype(), info.shape());
        Tensor kept = name.equals(changed) ? Arithmetic.add(tensor, 1) : tensor;
        tensors.put(name, new TensorData(info.dtype(), info.shape(), kept.toBytes()));
      }
      Safetensors.write(damaged.resolve(DeltaFiles.TENSORS), tensors, Map.of("format", "pt"));
    }
    try (Model model = TinyModels.open(recorded.resolve("../../hf/bert").normalize())) {
      try (Delta delta = DeltaFiles.load(recorded, model)) {
        assertThat(delta.constants()).hasSize(2);
      }
      assertThatThrownBy(() -> DeltaFiles.load(damaged, model))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining(changed);
    }
  }
}
