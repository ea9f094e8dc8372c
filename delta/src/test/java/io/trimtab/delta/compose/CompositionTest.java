package io.trimtab.delta.compose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CompositionTest {
  @TempDir private Path directory = Path.of("");
  private Model model;
  private final List<Delta> made = new ArrayList<>();

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory.resolve("model"));
  }

  @AfterEach
  void close() {
    made.forEach(Delta::close);
    model.close();
  }

  private Delta delta(String text, long seed) {
    Delta delta = DeltaExpression.parse(text, model).attach(model, Rng.seeded(seed));
    TinyModels.move(delta, seed);
    made.add(delta);
    return delta;
  }

  private Delta composed(Composition.How how, List<Double> shares, Delta... deltas) {
    SequencedMap<String, Delta> named = new LinkedHashMap<>();
    for (Delta delta : deltas) {
      named.put("d" + named.size(), delta);
    }
    return Composition.compose(how, named, shares, Rng.seeded(9));
  }

  private float[] numbers(Delta delta) {
    Batch batch = TinyModels.batch();
    return Gradients.none(
        () -> TinyModels.numbers(delta.base(), batch, Pass.with(batch.layout(), delta.patches())));
  }

  private static float[] plain(Model model) {
    Batch batch = TinyModels.batch();
    return Gradients.none(() -> TinyModels.numbers(model, batch, Pass.plain(batch.layout())));
  }

  private static void assertClose(float[] found, float[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i]).isCloseTo(expected[i], org.assertj.core.data.Offset.offset(2e-4f));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "lora:rank=2 + ia3",
        "prefix:length=2 + prompt:length=3 + lora:rank=2",
        "sum(0.3*lora:rank=2; 0.5*lora:rank=3,targets=query,key; ia3)",
        "split(2*lora:rank=2; 4*lora:rank=3)",
        "mixture(0.2*lora:rank=2; 0.6*lora:rank=3)",
        "sum(0.5*lora:rank=2 + ia3; 0.5*(sum(2*lora:rank=1; full) + ia3))"
      })
  void isSavedAsOneDirectoryAndReadBackToTheBit(String text) {
    Delta delta = delta(text, 1);
    Path saved = directory.resolve("saved");
    DeltaFiles.save(delta, saved);
    try (Delta again = DeltaFiles.load(saved, model)) {
      assertThat(again.count()).isEqualTo(delta.count());
      assertThat(numbers(again)).isEqualTo(numbers(delta));
    }
  }

  @Test
  void parametersGoByDifferentNames() {
    Delta delta = delta("lora:rank=2 + lora:rank=2", 1);
    assertThat(delta.parameters().stream().map(Parameter::name)).doesNotHaveDuplicates();
    assertThat(delta.count()).isEqualTo(2 * delta("lora:rank=2", 1).count());
  }

  @Test
  void lorasTogetherAreTheirSumAndAPrefixStaysAPrefix() {
    Delta first = delta("lora:rank=2", 1);
    Delta second = delta("lora:rank=3,targets=value,key", 2);
    float[] together = numbers(composed(Composition.How.SEQUENCE, List.of(), first, second));
    assertClose(numbers(composed(Composition.How.SUM, List.of(), second, first)), together);
  }

  @Test
  void aWeightedSumMergesToWhatItComputes() {
    Delta delta = delta("sum(0.25*lora:rank=2; 0.75*lora:rank=3; -0.5*bitfit)", 3);
    try (Model merged = delta.merge()) {
      assertClose(plain(merged), numbers(delta));
    }
  }

  @Test
  void ofUnitWeightForOneAndNoneForTheOtherIsTheOne() {
    Delta first = delta("lora:rank=2 + ia3", 1);
    Delta second = delta("lora:rank=3", 2);
    assertClose(
        numbers(composed(Composition.How.SUM, List.of(1.0, 0.0), first, second)), numbers(first));
  }

  @Test
  void aSplitOfOneDeltaOverAllTokensIsThatDelta() {
    Delta delta = delta("lora:rank=2,targets=all-linear", 1);
    Delta same = delta.copy();
    made.add(same);
    float[] split = numbers(composed(Composition.How.SPLIT, List.of(3.0, 40.0), delta, same));
    assertClose(split, numbers(delta));
  }

  @Test
  void aSplitCountsARowsTokensAndNotThoseThatAreRead() {
    Delta split = delta("split(2*lora:rank=2,targets=all-linear; 40*ia3)", 1);
    Batch batch = TinyModels.batch();
    int[][] last = {{4}, {2}, {6}, {3}};
    Pass pass = Pass.with(batch.layout(), split.patches());
    Positions some = Positions.of(last, batch.layout());
    try (Scope _ = Scope.open()) {
      Tensor all = TinyModels.logits(model, batch, pass);
      Tensor expected = Indexing.select(all, 0, some.indices(Device.CPU));
      Tensor found = model.maskedLogits(batch, pass, some, null);
      assertThat(Reduction.largestDifference(found, expected)).isLessThan(1e-4);
    }
  }

  @Test
  void adaptersAreFused() {
    Delta fusion = delta("fusion(pfeiffer; pfeiffer:reduction-factor=8)", 1);
    Path saved = directory.resolve("saved");
    DeltaFiles.save(fusion, saved);
    try (Delta again = DeltaFiles.load(saved, model)) {
      assertThat(numbers(again)).isEqualTo(numbers(fusion));
    }
    assertThat(fusion.parameters().stream().map(Parameter::name))
        .anyMatch(name -> name.endsWith("fusion.value.weight"));
    assertThatThrownBy(fusion::merge)
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("merge");
  }

  @Test
  void promptsStandOneAfterTheOther() {
    Delta both = delta("prompt:length=2 + prompt:length=3", 1);
    Delta one = delta("prompt:length=5", 2);
    List<Parameter> parts = both.parameters();
    Parameter whole = one.parameters().getFirst();
    try (Scope _ = Scope.open()) {
      whole.assign(Indexing.concat(parts.stream().map(part -> part.value().detach()).toList(), 0));
    }
    assertThat(numbers(both)).isEqualTo(numbers(one));
  }

  @Test
  void theNetworkOfAPrefixInsideIsStoredAsWhatItComputed() {
    Delta delta = delta("prefix:length=2,projection=8 + lora:rank=2", 1);
    Path saved = directory.resolve("saved");
    DeltaFiles.save(delta, saved);
    try (Delta again = DeltaFiles.load(saved, model)) {
      assertThat(again.count()).isLessThan(delta.count());
      assertClose(numbers(again), numbers(delta));
    }
    assertThat(numbers(delta)).isNotEqualTo(plain(model)); // and it is still there
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sum(prefix; lora)|nothing to be weighed against",
        "fusion(lora; ia3)|expected adapters",
        "split(3*bitfit; 4*lora)|in a split",
        "split(0.5*lora; lora)|whole numbers of tokens",
        "lora +|at character 7",
        "sum(lora; ia3|expected \")\"",
        "lora:rank|expected key=value",
        "maximum(lora)|expected sum, mixture, fusion or split",
        "a=lora + a=ia3|all by different names",
        "prefix + prefix|undoes",
        "bitfit + full|undoes"
      })
  void whatCannotBeComposedIsRefused(String text, String message) {
    assertThatThrownBy(() -> delta(text, 1))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void deltasOfAnotherModelAreRefused() {
    try (Model other = TinyModels.maskedLm(directory.resolve("other"), 2)) {
      DeltaSpec spec = DeltaExpression.parse("lora", other);
      Delta strange = spec.attach(other, Rng.seeded(1));
      made.add(strange);
      assertThatThrownBy(() -> composed(Composition.How.SUM, List.of(), delta("lora", 1), strange))
          .isInstanceOf(DeltaException.BaseMismatch.class);
    }
  }
}
