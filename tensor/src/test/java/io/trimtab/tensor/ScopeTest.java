package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class ScopeTest {
  private static Tensor two() {
    return Creation.floats(new float[] {1, 2}, 2);
  }

  @Test
  void whatIsNotKeptIsFreedAndSaysSo() {
    Tensor lost;
    try (Scope _ = Scope.open()) {
      lost = two();
    }
    assertThat(lost).hasToString("Tensor[closed]");
    assertThatThrownBy(lost::shape)
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("keep");
    assertThatThrownBy(lost::toFloats).isInstanceOf(TensorException.class);
    assertThatThrownBy(() -> Arithmetic.add(lost, lost)).isInstanceOf(TensorException.class);
    assertThatThrownBy(() -> Indexing.concat(List.of(lost, lost), 0))
        .isInstanceOf(TensorException.class);
    assertThatThrownBy(() -> Gradients.backward(lost)).isInstanceOf(TensorException.class);
  }

  @Test
  void keptPassesToTheEnclosingScopeAndNoFurther() {
    Tensor kept;
    try (Scope _ = Scope.open()) {
      try (Scope inner = Scope.open()) {
        kept = inner.keep(two());
      }
      assertThat(kept.toFloats()).containsExactly(1, 2);
    }
    assertThat(kept).hasToString("Tensor[closed]");
  }

  @Test
  void keptTwiceOrThroughThreeLevelsIsFreedByTheOutermost() {
    Tensor kept;
    try (Scope _ = Scope.open()) {
      try (Scope middle = Scope.open()) {
        try (Scope inner = Scope.open()) {
          kept = two();
          inner.keep(kept);
          inner.keep(kept);
        }
        middle.keep(kept);
      }
      assertThat(kept.toFloats()).containsExactly(1, 2);
    }
    assertThat(kept).hasToString("Tensor[closed]");
  }

  @Test
  void keepingWhatAnOuterScopeOwnsChangesNothing() {
    Tensor outer;
    try (Scope _ = Scope.open()) {
      outer = two();
      assertThat(Scope.of(() -> outer)).isSameAs(outer);
      assertThat(outer.toFloats()).containsExactly(1, 2);
    }
    assertThat(outer).hasToString("Tensor[closed]");
  }

  @Test
  void keptWithoutAParentLivesUntilClosed() {
    Tensor kept = Scope.of(ScopeTest::two);
    try (Scope _ = Scope.open()) {
      assertThat(Arithmetic.add(kept, 1).toFloats()).containsExactly(2, 3);
    }
    assertThat(kept.toFloats()).containsExactly(1, 2);
    kept.close();
    kept.close();
    assertThat(kept).hasToString("Tensor[closed]");
  }

  @Test
  void keepAllKeepsWhatCameOutOfANativeList() {
    try (Scope _ = Scope.open()) {
      Reduction.Top top;
      List<Tensor> gradients;
      try (Scope inner = Scope.open()) {
        top = Reduction.top(two(), 1);
        inner.keepAll(List.of(top.values(), top.indices()));
        Tensor x = Gradients.variable(two());
        gradients =
            inner.keepAll(
                Gradients.of(
                    List.of(Reduction.sum(Arithmetic.power(x, 2))),
                    List.of(Creation.scalar(1, DType.F32, Device.CPU)),
                    List.of(x)));
      }
      assertThat(top.values().toFloats()).containsExactly(2);
      assertThat(top.indices().toLongs()).containsExactly(1);
      assertThat(gradients.get(0).toFloats()).containsExactly(2, 4);
    }
  }

  @Test
  void aTensorClosedByHandIsNoTroubleToItsScope() {
    try (Scope _ = Scope.open()) {
      Tensor early = two();
      Tensor view = early.reshape(2, 1);
      early.close();
      assertThat(view.toFloats()).containsExactly(1, 2);
    }
  }

  @Test
  void scopesCloseInReverseOrder() {
    try (Scope outer = Scope.open()) {
      try (Scope _ = Scope.open()) {
        assertThatThrownBy(outer::close)
            .isInstanceOf(TensorException.class)
            .hasMessageContaining("close inner scopes first");
      }
    }
  }

  @Test
  void aClosedScopeKeepsNothing() {
    Scope scope = Scope.open();
    scope.close();
    scope.close();
    try (Scope _ = Scope.open()) {
      Tensor tensor = two();
      assertThatThrownBy(() -> scope.keep(tensor)).isInstanceOf(TensorException.class);
    }
  }

  @Test
  void aScopeBelongsToItsThread() throws InterruptedException {
    try (Scope scope = Scope.open()) {
      Tensor tensor = two();
      AtomicReference<Throwable> keep = new AtomicReference<>();
      AtomicReference<Throwable> close = new AtomicReference<>();
      Thread other =
          new Thread(
              () -> {
                keep.set(failure(() -> scope.keep(tensor)));
                close.set(failure(scope::close));
              });
      other.start();
      other.join();
      assertThat(keep.get()).isInstanceOf(TensorException.class);
      assertThat(close.get()).isInstanceOf(TensorException.class);
      assertThat(tensor.toFloats()).containsExactly(1, 2);
    }
  }

  private static Throwable failure(Runnable work) {
    try {
      work.run();
      return new AssertionError("nothing was thrown");
    } catch (RuntimeException e) {
      return e;
    }
  }

  @Test
  void customGradientsOutliveTheScopeOfTheirLayer() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(two());
      Tensor loss =
          Scope.of(
              () ->
                  Reduction.sum(
                      Gradients.custom(
                          x.reshape(1, 2),
                          in -> Arithmetic.multiply(in, 3),
                          gradient -> Arithmetic.multiply(gradient, 3))));
      System.gc();
      List<Tensor> found =
          Gradients.of(
              List.of(loss), List.of(Creation.scalar(1, DType.F32, Device.CPU)), List.of(x));
      assertThat(found.get(0).toFloats()).containsExactly(3, 3);
    }
  }

  private static Tensor tripled(Tensor x) {
    return Gradients.custom(
        x, in -> Arithmetic.multiply(in, 3), gradient -> Arithmetic.multiply(gradient, 3));
  }

  @Test
  void noResultWithAGradientOfItsOwnOutlivesTheOutermostScope() {
    Tensor x;
    try (Scope scope = Scope.open()) {
      x = scope.keep(Gradients.variable(two()));
    }
    assertThatThrownBy(() -> Scope.of(() -> Reduction.sum(Arithmetic.add(tripled(x), 1))))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("one Scope around the forward and backward pass");
    assertThatThrownBy(() -> tripled(x))
        .as("without any scope")
        .isInstanceOf(TensorException.class);
    Tensor plain;
    Tensor detached;
    Tensor used;
    try (Scope scope = Scope.open()) {
      plain = scope.keep(Reduction.sum(Arithmetic.multiply(x, 2)));
      used = tripled(x);
      detached = scope.keep(used.detach());
      assertThatThrownBy(() -> scope.keep(used)).isInstanceOf(TensorException.class);
      Gradients.of(List.of(used), List.of(Creation.full(1, DType.F32, Device.CPU, 2)), List.of(x));
      scope.keep(used); // its backward pass is over
    }
    System.gc();
    assertThat(detached.toFloats()).containsExactly(3, 6);
    List<Tensor> found =
        Gradients.of(
            List.of(plain), List.of(Creation.scalar(1, DType.F32, Device.CPU)), List.of(x));
    assertThat(found.get(0).toFloats()).containsExactly(2, 2);
    List.of(x, plain, detached, used, found.get(0)).forEach(Tensor::close);
  }
}
