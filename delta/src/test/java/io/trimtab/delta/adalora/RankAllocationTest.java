package io.trimtab.delta.adalora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.delta.Part;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Linear;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against what PEFT did with the same start and gradients: see record_allocation.py. */
class RankAllocationTest {
  private static final int[][] SIZES = {{6, 5}, {5, 4}, {7, 6}};
  private static final int STEPS = 14;
  private static final double RATE = 0.1;
  private static final AdaLora SETTINGS =
      AdaLora.ranks(4, 2).alpha(8).budget(new Budget(2, 3, 2, 0)).smoothing(0.8, 0.7);

  private static TensorFile recorded() {
    try {
      return Safetensors.open(
          Path.of(
              Objects.requireNonNull(RankAllocationTest.class.getResource("allocation.safetensors"))
                  .toURI()));
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Tensor read(TensorFile file, String name) {
    TensorInfo info = file.info(name);
    return Creation.copyOf(file.bytes(name), info.dtype(), info.shape());
  }

  private static List<AdaLoraLinear> parts(TensorFile file) {
    List<AdaLoraLinear> parts = new ArrayList<>();
    for (int i = 0; i < SIZES.length; i++) {
      Tensor weight = Creation.zeros(DType.F32, Device.CPU, SIZES[i][1], SIZES[i][0]);
      Linear layer = new Linear("layers." + i, new Weight.Dense(weight), null);
      AdaLoraLinear part = AdaLoraLinear.create(layer, 4, 2, 0, Rng.seeded(1));
      part.parameters().forEach(p -> p.assign(read(file, "start." + p.name())));
      parts.add(part);
    }
    return parts;
  }

  private static List<Parameter> parameters(List<AdaLoraLinear> parts) {
    return parts.stream().flatMap(part -> part.parameters().stream()).toList();
  }

  private static void step(List<AdaLoraLinear> parts, RankAllocation rule, TensorFile file, int i) {
    for (Parameter parameter : parameters(parts)) {
      Tensor gradient = read(file, i + ".grad." + parameter.name());
      parameter.clearGradient();
      Gradients.backward(Reduction.sum(Arithmetic.multiply(parameter.value(), gradient)));
      parameter.assign(Arithmetic.addScaled(parameter.value().detach(), gradient, -RATE));
    }
    rule.afterStep(i, STEPS);
  }

  @Test
  void everyStepLeavesTheSingularValuesThatPeftLeaves() {
    try (Scope _ = Scope.open();
        TensorFile file = recorded()) {
      List<AdaLoraLinear> parts = parts(file);
      RankAllocation rule = new RankAllocation(SETTINGS, parts);
      for (int i = 1; i <= STEPS; i++) {
        step(parts, rule, file, i);
        for (AdaLoraLinear part : parts) {
          Tensor expected = read(file, i + ".value." + part.values().name());
          assertThat(Reduction.largestDifference(part.values().value(), expected))
              .as("%s after step %d", part.values().name(), i)
              .isLessThan(1e-6);
        }
      }
      for (AdaLoraLinear part : parts) {
        float[] expected = read(file, "kept." + part.values().name()).toFloats();
        boolean[] kept = rule.kept(part);
        for (int i = 0; i < kept.length; i++) {
          assertThat(kept[i]).isEqualTo(expected[i] == 1);
        }
      }
    }
  }

  @Test
  void thePenaltyIsPefts() {
    try (Scope _ = Scope.open();
        TensorFile file = recorded()) {
      List<AdaLoraLinear> parts = parts(file);
      RankAllocation rule = new RankAllocation(SETTINGS, parts);
      for (int i = 1; i <= STEPS; i++) {
        step(parts, rule, file, i);
      }
      double penalty = Objects.requireNonNull(rule.penalty()).item();
      assertThat(penalty).isCloseTo(read(file, "penalty").item(), within(1e-6));
      assertThat(new RankAllocation(SETTINGS.orthogonality(0), parts).penalty()).isNull();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 8, 11, 13})
  void goesOnFromItsStateToTheSameBits(int stop) {
    try (Scope _ = Scope.open();
        TensorFile file = recorded()) {
      List<AdaLoraLinear> through = parts(file);
      RankAllocation one = new RankAllocation(SETTINGS, through);
      for (int i = 1; i <= stop; i++) {
        step(through, one, file, i);
      }
      List<AdaLoraLinear> later = parts(file);
      RankAllocation other = new RankAllocation(SETTINGS, later);
      copy(parameters(through), parameters(later));
      copy(one.state(), other.state());
      for (int i = stop + 1; i <= STEPS; i++) {
        step(through, one, file, i);
        step(later, other, file, i);
      }
      for (int i = 0; i < through.size(); i++) {
        assertThat(later.get(i).values().value().toFloats())
            .isEqualTo(through.get(i).values().value().toFloats());
        assertThat(other.kept(later.get(i))).isEqualTo(one.kept(through.get(i)));
      }
      assertThat(other.steps()).isEqualTo(STEPS);
    }
  }

  private static void copy(List<Parameter> from, List<Parameter> to) {
    Map<String, Parameter> named = new LinkedHashMap<>();
    from.forEach(each -> named.put(each.name(), each));
    assertThat(named).hasSize(from.size()).hasSize(to.size());
    to.forEach(each -> each.assign(Objects.requireNonNull(named.get(each.name())).value()));
  }

  @Test
  void theBudgetFallsByTheCubeAndNeverBelowTheTarget() {
    Budget budget = new Budget(10, 20, 5, 100);
    assertThat(budget.ranks(10, 120, 80)).isEqualTo(120);
    assertThat(budget.ranks(45, 120, 80)).isEqualTo(85); // 80 + 40 (1 / 2)³
    assertThat(budget.ranks(80, 120, 80)).isEqualTo(80);
    assertThat(budget.ranks(99, 120, 80)).isEqualTo(80);
    assertThat(budget.prunes(10)).isFalse();
    assertThat(budget.prunes(15)).isTrue();
    assertThat(budget.prunes(16)).isFalse();
    assertThat(budget.prunes(80)).isTrue();
    assertThat(budget.prunes(85)).isFalse();
  }

  @Test
  void equalRanksFromStartToEndPruneNothing() {
    try (Scope _ = Scope.open();
        TensorFile file = recorded()) {
      List<AdaLoraLinear> parts = parts(file); // PEFT stops here with an error: it asks for rank 0
      RankAllocation rule = new RankAllocation(AdaLora.ranks(4, 4), parts);
      for (int i = 1; i <= STEPS; i++) {
        step(parts, rule, file, i);
      }
      for (Part part : parts) {
        assertThat(((AdaLoraLinear) part).values().value().toFloats()).doesNotContain(0f);
      }
    }
  }
}
