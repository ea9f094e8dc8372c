package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class RowChunksTest {
  private static final Attention.Form FORM = Attention.Form.whole(2, 0.5);
  private static final Layout ROWS = Layout.ofLengths(3, 40, 17, 1, 90, 17, 128, 5);

  private static Attention.Use use(Layout layout, Common common) {
    Pass pass = Pass.plain(layout).sharing(common);
    return new Attention.Use(pass, null, Attention.Bias.NONE, Prefixes.NONE, null);
  }

  private static Tensor values(Rng rng, DType dtype, Layout layout) {
    return Gradients.variable(rng.normal(1, DType.F64, Device.CPU, layout.tokens(), 8).to(dtype));
  }

  @Test
  void rowsInChunksAreAsRowsAloneAndSoAreTheirGradients() {
    try (Scope _ = Scope.open();
        Common common = new Common()) {
      Rng rng = Rng.seeded(1);
      List<Tensor> inputs =
          List.of(
              values(rng, DType.F64, ROWS),
              values(rng, DType.F64, ROWS),
              values(rng, DType.F64, ROWS));
      Tensor read = rng.normal(1, DType.F64, Device.CPU, ROWS.tokens(), 8);
      RowChunks chunks = RowChunks.plan(ROWS, DType.F64, Device.CPU, common);
      Tensor chunked = chunks.attend(inputs.get(0), inputs.get(1), inputs.get(2), FORM);
      Tensor alone =
          Attention.packed(inputs.get(0), inputs.get(1), inputs.get(2), FORM, use(ROWS, common));
      assertThat(Reduction.largestDifference(chunked, alone)).isLessThan(1e-12);

      List<Tensor> ofChunked = Gradients.of(List.of(chunked), List.of(read), inputs);
      List<Tensor> ofAlone = Gradients.of(List.of(alone), List.of(read), inputs);
      for (int i = 0; i < inputs.size(); i++) {
        assertThat(Reduction.largestDifference(ofChunked.get(i), ofAlone.get(i)))
            .as("gradient to input " + i)
            .isLessThan(1e-12);
      }
    }
  }

  @Property(tries = 50)
  void everyTokenHasOnePlaceInAChunkThatHoldsItsRow(
      @ForAll @Size(min = 1, max = 40) List<@IntRange(min = 1, max = 256) Integer> lengths) {
    Layout layout = Layout.ofLengths(lengths.stream().mapToInt(Integer::intValue).toArray());
    try (Scope _ = Scope.open();
        Common common = new Common()) {
      RowChunks chunks = RowChunks.plan(layout, DType.F32, Device.CPU, common);
      assertThat(Arrays.stream(chunks.back()).distinct().count()).isEqualTo(layout.tokens());
      for (int row = 0; row < layout.rows(); row++) {
        long first = chunks.back()[layout.start(row)];
        for (int i = 0; i < layout.length(row); i++) {
          int token = layout.start(row) + i;
          assertThat(chunks.back()[token]).isEqualTo(first + i);
          assertThat(chunks.from()[(int) first + i]).isEqualTo(token);
        }
        assertThat((first + layout.length(row) - 1) / chunks.size())
            .isEqualTo(first / chunks.size());
      }
    }
  }

  @Test
  void only16BitsOfManyLengthsAreDoneSo() {
    try (Scope _ = Scope.open();
        Common common = new Common()) {
      Rng rng = Rng.seeded(1);
      Tensor trained = values(rng, DType.BF16, ROWS);
      Tensor fixed = Creation.zeros(DType.BF16, Device.CPU, ROWS.tokens(), 8);
      Attention.Use use = use(ROWS, common);
      assertThat(RowChunks.of(trained, fixed, FORM, use, 7)).isNotNull();
      assertThat(RowChunks.of(fixed, fixed, FORM, use, 7) == null)
          .isEqualTo(Engine.hasMatrixUnit());
      assertThat(RowChunks.of(trained.to(DType.F32), fixed, FORM, use, 7)).isNull();
      assertThat(RowChunks.of(trained, fixed, FORM, use, 1)).isNull();
      Attention.Form causal = new Attention.Form(2, 2, 0.5, true, 0, 0);
      assertThat(RowChunks.of(trained, fixed, causal, use, 7)).isNull();
      Layout tooLong = Layout.ofLengths(3, 257, 4, 5);
      assertThat(RowChunks.of(trained, fixed, FORM, use(tooLong, common), 4)).isNull();
    }
  }
}
