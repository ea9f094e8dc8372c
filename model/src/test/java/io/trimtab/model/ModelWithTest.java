package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Models that share all but a few tensors with another one. */
class ModelWithTest {
  private static final String VALUE = "bert.encoder.layer.1.attention.self.value.weight";
  private static final String WORDS = "bert.embeddings.word_embeddings.weight";
  private static final String DECODER = "cls.predictions.decoder.weight";

  private static Tensor changed(Model model, String name, UnaryOperator<Tensor> change) {
    return change.apply(Objects.requireNonNull(model.tensors().get(name))).held();
  }

  private static float[] logits(Model model) {
    Batch batch = Tiny.random(model, 9, 8);
    return Tiny.logits(model, batch, Pass.plain(batch.layout())).toFloats();
  }

  @Test
  void aReplacedTensorActsAsAnEffectiveOne() {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(Tiny.bert())) {
      float[] before = logits(model);
      Batch batch = Tiny.random(model, 9, 8);
      Patch.Effective twice = (stored, pass) -> Arithmetic.multiply(stored, 2);
      Patches patches = Patches.of(Map.of(Site.tensor(VALUE), twice));
      float[] patched = Tiny.logits(model, batch, Pass.with(batch.layout(), patches)).toFloats();
      Tensor replacement = changed(model, VALUE, old -> Arithmetic.multiply(old, 2));
      try (Model other = model.with(Map.of(VALUE, replacement))) {
        assertThat(logits(other)).isEqualTo(patched).isNotEqualTo(before);
        assertThat(other.tensors().get(WORDS)).isSameAs(model.tensors().get(WORDS));
        assertThat(other.fingerprint(VALUE)).isNotEqualTo(model.fingerprint(VALUE));
        assertThat(other.fingerprint(WORDS)).isEqualTo(model.fingerprint(WORDS));
      }
      assertThat(logits(model)).as("the first is as it was").isEqualTo(before);
    }
  }

  @Test
  void aTiedHeadIsUntiedByAMatrixOfItsOwnAndStaysSo() {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(Tiny.bert())) {
      Batch batch = Tiny.random(model, 9, 8);
      Pass pass = Pass.plain(batch.layout());
      assertThat(model.tensors()).doesNotContainKey(DECODER);
      Tensor matrix = changed(model, WORDS, old -> Arithmetic.multiply(old, 3));
      Tensor value = changed(model, VALUE, Tensor::copy);
      try (Model untied = model.with(Map.of(DECODER, matrix));
          Model next = untied.with(Map.of(VALUE, value))) {
        Tensor states = model.stack().forward(batch, pass, null);
        Tensor same = untied.stack().forward(batch, pass, null);
        assertThat(Reduction.largestDifference(states, same)).isZero();
        assertThat(logits(untied)).isNotEqualTo(logits(model));
        assertThat(untied.tensors()).containsKeys(DECODER, WORDS);
        assertThat(untied.fingerprint(DECODER)).hasSize(64);
        assertThat(logits(next)).as("untied in the next one too").isEqualTo(logits(untied));
      }
    }
  }

  @Test
  void aReplacedTableOfATiedHeadIsReplacedInBoth() {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(Tiny.bert())) {
      Tensor table = changed(model, WORDS, old -> Arithmetic.multiply(old, 3));
      try (Model other = model.with(Map.of(WORDS, table))) {
        Linear decoder = (Linear) other.layer("cls.predictions.decoder").orElseThrow();
        assertThat(decoder.weight().dense()).isSameAs(table);
        assertThat(decoder.weightName()).isEqualTo(WORDS);
      }
    }
  }

  @Test
  void aNameThatTheModelDoesNotHaveIsRefused() {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(Tiny.bert())) {
      Tensor tensor = changed(model, VALUE, Tensor::copy);
      Map<String, Tensor> slip = Map.of("bert.encoder.layer.7.attention.self.value", tensor);
      assertThatThrownBy(() -> model.with(slip))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("bert.encoder.layer.7.attention.self.value")
          .hasMessageContaining("expected names of Model.tensors()");
      assertThatThrownBy(() -> model.fingerprint("nothing"))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("found no tensor nothing");
      tensor.close();
    }
  }
}
