package io.trimtab.delta.bottleneck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BottleneckTest {
  @TempDir Path directory = Path.of("");

  private static final List<String> METHODS =
      List.of("houlsby", "pfeiffer", "parallel", "compacter", "compacterpp", "lowrank");

  /** Every setting at least once. */
  static Stream<String> settings() {
    return Stream.of(
        "houlsby ln_before=true ln_after=true dropout=0.1",
        "houlsby ln_after=true adapter_residual_before_ln=true stochastic_depth=0.2",
        "houlsby scaling=learned use_gating=true leave_out=1",
        "houlsby scaling=channel inv_adapter=nice non_linearity=leakyrelu",
        "houlsby inv_adapter=glow inv_adapter_reduction_factor=4 inv_adapter_undone=false",
        "houlsby reduction_factor=0:8,default:4 output_adapter=false",
        "houlsby modified_modules=attention,[r]layer\\.0,ff@.w1@ non_linearity=quick_gelu",
        "houlsby modified_modules=embeddings,output.LayerNorm exclude_modules=bert.encoder.layer.0",
        "pfeiffer residual_before_ln=false original_ln_after=false",
        "pfeiffer residual_before_ln=post_add non_linearity=relu6",
        "parallel mh_adapter=true use_gating=true scaling=0.5 ln_after=true",
        "parallel preset=opendelta scaling=2.0",
        "parallel preset=opendelta modified_modules=query,query,attn@.q@,attn@.proj@",
        "compacter phm_rank=2 phm_dim=2 factorized_phm_rule=true phm_bias=false",
        "compacter factorized_phm_W=false learn_phm=false bottleneck_dim=8",
        "compacter shared_W_phm=true phm_c_init=uniform hypercomplex_nonlinearity=normal",
        "compacterpp preset=opendelta hypercomplex_nonlinearity=glorot-normal",
        "lowrank low_rank_rank=3 low_rank_w_init=xavier-normal bottleneck_dim=5");
  }

  /** A decoder's head has the path of its only layer, which must be found all the same. */
  @Test
  void invertibleAdaptersAreUndoneBeforeTheHeadsOfDecoders() {
    List<Path> found =
        TinyModels.fixtures("hf").stream().filter(path -> path.endsWith("qwen2")).toList();
    assumeTrue(!found.isEmpty(), "no recorded models at -Dtrimtab.fixtures");
    try (Model model = TinyModels.open(found.getFirst());
        Delta undone = spec("houlsby inv_adapter=nice", model).attach(model, Rng.seeded(1));
        Delta left =
            spec("houlsby inv_adapter=nice inv_adapter_undone=false", model)
                .attach(model, Rng.seeded(1))) {
      assertThat(undone.parts()).anyMatch(part -> part.site().path().equals("lm_head"));
      assertThat(left.parts()).noneMatch(part -> part.site().path().equals("lm_head"));
    }
  }

  static Bottleneck spec(String text, Model model) {
    String[] words = text.split(" ");
    Map<String, String> options = new TreeMap<>();
    for (String word : Arrays.asList(words).subList(1, words.length)) {
      options.put(word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
    }
    return (Bottleneck) DeltaMethods.named(words[0]).fromOptions(options, model);
  }

  private Model model() {
    return TinyModels.maskedLm(directory.resolve("model"));
  }

  @ParameterizedTest
  @MethodSource("settings")
  void isTheSameAfterSavingAndLoading(String settings) {
    Batch batch = TinyModels.batch();
    try (Model model = model();
        Delta delta = spec(settings, model).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      Path saved = directory.resolve("saved");
      DeltaFiles.save(delta, saved);
      try (Delta again = DeltaFiles.load(saved, model)) {
        Bottleneck before = (Bottleneck) delta.spec();
        Bottleneck after = (Bottleneck) again.spec();
        assertThat(after)
            .usingRecursiveComparison()
            .ignoringFields("lenient", "method")
            .isEqualTo(before);
        assertThat(after.method().name()).isEqualTo(before.method().name());
        float[] numbers = numbers(delta, batch);
        assertThat(numbers(again, batch)).isEqualTo(numbers);
        assertThat(numbers)
            .isNotEqualTo(TinyModels.numbers(model, batch, Pass.plain(batch.layout())));
      }
    }
  }

  private static float[] numbers(Delta delta, Batch batch) {
    Pass pass = Pass.with(batch.layout(), delta.patches());
    return TinyModels.numbers(delta.base(), batch, pass);
  }

  @ParameterizedTest
  @MethodSource("settings")
  void givesATokenTheSameWhateverElseIsRead(String settings) {
    Batch batch = TinyModels.batch();
    try (Model model = model();
        Delta delta = spec(settings, model).attach(model, Rng.seeded(1));
        Scope _ = Scope.open()) {
      TinyModels.move(delta, 2);
      float[] all = numbers(delta, batch);
      int[][] some = {{1, 3}, {2}, {}, {0, 1}};
      Pass pass = Pass.with(batch.layout(), delta.patches());
      float[] few =
          model.maskedLogits(batch, pass, Positions.of(some, batch.layout()), null).toFloats();
      int words = few.length / 5;
      int at = 0;
      for (int row = 0; row < some.length; row++) {
        for (int position : some[row]) {
          int token = batch.layout().start(row) + position;
          for (int word = 0; word < words; word++) {
            assertThat(few[at++])
                .isCloseTo(all[token * words + word], org.assertj.core.data.Offset.offset(2e-5f));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void givesARowTheSameAloneAsInABatch(String settings) {
    Batch batch = TinyModels.batch();
    Batch alone = Batch.of(List.of(batch.rows().get(1)));
    try (Model model = model();
        Delta delta = spec(settings, model).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      float[] all = numbers(delta, batch);
      float[] one = numbers(delta, alone);
      int words = one.length / alone.layout().tokens();
      int first = batch.layout().start(1) * words;
      float[] same = Arrays.copyOfRange(all, first, first + one.length);
      assertThat(one).containsExactly(same, org.assertj.core.data.Offset.offset(2e-5f));
    }
  }

  @Test
  void startsExactlyAsTheBaseWhereAsked() {
    Batch batch = TinyModels.batch();
    try (Model model = model()) {
      float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
      for (String method : METHODS) {
        for (String more : List.of("init_weights=zero", "init_weights=mam_adapter")) {
          try (Delta delta =
              spec(method + " inv_adapter=nice " + more, model).attach(model, Rng.seeded(1))) {
            assertThat(numbers(delta, batch)).as(method + " " + more).isEqualTo(plain);
          }
        }
      }
    }
  }

  @Test
  void hasEveryPresetItNames() {
    try (Model model = model()) {
      for (String name : METHODS) {
        BottleneckMethod method = (BottleneckMethod) DeltaMethods.named(name);
        assertThat(method.presetNames()).contains("opendelta", "paper");
        for (String preset : method.presetNames()) {
          DeltaSpec spec = method.fromOptions(Map.of("preset", preset), model);
          try (Delta delta = spec.attach(model, Rng.seeded(1))) {
            assertThat(delta.count()).as(name + " " + preset).isPositive();
          }
          assertThat(method.preset(preset).method()).isSameAs(method);
        }
      }
    }
  }

  /** AdapterHub's table of methods has most of these; the others are by the formulas of 2.1. */
  @ParameterizedTest
  @CsvSource({
    "houlsby, 1789056",
    "pfeiffer, 894528",
    "parallel, 7091712",
    "compacter, 57088",
    "compacterpp, 28576",
    "houlsby preset=opendelta, 903744",
    "parallel preset=opendelta, 903744",
    "compacter preset=opendelta, 61824",
    "lowrank, 57024",
    "lowrank low_rank_rank=2, 95040",
    "houlsby preset=paper, 2379264",
  })
  void countsParametersOfBertBase(String settings, long expected) {
    try (Model model = TinyModels.baseSized(directory.resolve("base"));
        Delta delta = spec(settings, model).attach(model, Rng.seeded(1))) {
      assertThat(delta.count()).isEqualTo(expected);
    }
  }

  /** OpenDelta keeps the input of a call in a field of the adapter (its defect 9). */
  @Test
  void parallelAdaptersServeManyThreads() {
    List<Batch> batches =
        IntStream.range(0, 8)
            .mapToObj(i -> Batch.of(List.of(Batch.Row.of(3 + i, 5, 9), Batch.Row.of(1 + i))))
            .toList();
    try (Model model = model();
        Delta delta = spec("parallel preset=opendelta", model).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      List<float[]> serial = batches.stream().map(batch -> numbers(delta, batch)).toList();
      List<float[]> parallel =
          batches.parallelStream().map(batch -> numbers(delta, batch)).toList();
      assertThat(parallel).usingRecursiveComparison().isEqualTo(serial);
    }
  }

  /** OpenDelta forgets a parallel adapter's scale when it saves (its defect 4). */
  @Test
  void keepsTheScaleOfParallelAdapters() {
    try (Model model = model();
        Delta delta =
            spec("parallel preset=opendelta scaling=3", model).attach(model, Rng.seeded(1))) {
      DeltaFiles.save(delta, directory.resolve("scaled"));
      try (Delta again = DeltaFiles.load(directory.resolve("scaled"), model)) {
        assertThat(((Bottleneck) again.spec()).inside().scaling()).isEqualTo(new Scaling.Fixed(3));
      }
    }
  }

  /** OpenDelta tries the leftmost place of an expression alone. */
  @Test
  void findsExpressionsWhereverTheyFit() {
    try (Model model = model()) {
      assertThat(spec("houlsby modified_modules=[r]output", model).places(model))
          .extracting(AdapterPlace::path)
          .containsExactly(
              "bert.encoder.layer.0.attention.output",
              "bert.encoder.layer.0.output",
              "bert.encoder.layer.1.attention.output",
              "bert.encoder.layer.1.output");
    }
  }

  @Test
  void knowsWhereModulesEnd() {
    try (Model model = model()) {
      assertThat(spec("houlsby modified_modules=0.attention,1.output.dense", model).places(model))
          .extracting(AdapterPlace::site, AdapterPlace::point)
          .containsExactly(
              org.assertj.core.groups.Tuple.tuple(
                  "bert.encoder.layer.0.attention.output", AdapterPlace.Point.OUTPUT),
              org.assertj.core.groups.Tuple.tuple(
                  "bert.encoder.layer.1.output.dense", AdapterPlace.Point.OUTPUT));
    }
  }

  /**
   * In DistilBERT a module's norm is beside it, not in it: its output comes before the addition.
   */
  @Test
  void knowsThatDistilBertsModulesEndBeforeTheNorm() {
    Path distilBert = recorded("distilbert");
    try (Model model = TinyModels.open(distilBert)) {
      assertThat(spec("houlsby modified_modules=attn@,ff@", model).places(model))
          .extracting(AdapterPlace::point)
          .containsOnly(AdapterPlace.Point.BEFORE_ADDITION);
    }
  }

  @Test
  void leavesOutBlocksThatShareTheirWeights() {
    Path albert = recorded("albert");
    Batch batch = TinyModels.batch();
    try (Model model = TinyModels.open(albert);
        Delta all = spec("pfeiffer", model).attach(model, Rng.seeded(1));
        Delta first = spec("pfeiffer leave_out=1,2", model).attach(model, Rng.seeded(1));
        Delta last = spec("pfeiffer leave_out=0,1", model).attach(model, Rng.seeded(1))) {
      List.of(all, first, last).forEach(delta -> TinyModels.move(delta, 2));
      assertThat(all.count()).isEqualTo(first.count());
      assertThat(numbers(all, batch)).isNotEqualTo(numbers(first, batch));
      assertThat(numbers(first, batch)).isNotEqualTo(numbers(last, batch));
    }
  }

  private static Path recorded(String name) {
    List<Path> found =
        TinyModels.fixtures("hf").stream()
            .filter(path -> path.getFileName().toString().equals(name))
            .toList();
    assumeTrue(!found.isEmpty(), "no recorded model " + name + " at -Dtrimtab.fixtures");
    return found.getFirst();
  }

  @ParameterizedTest
  @ValueSource(strings = {"dropout", "stochastic_depth"})
  void leavesMostOutInTrainingAlone(String option) {
    Batch batch = TinyModels.batch();
    try (Model model = model();
        Delta delta =
            spec("pfeiffer " + option + "=0.999999", model).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      Pass pass = Pass.with(batch.layout(), delta.patches());
      float[] training = TinyModels.numbers(model, batch, pass.training(Rng.seeded(1)));
      float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
      assertThat(training).isEqualTo(plain);
      assertThat(numbers(delta, batch)).isNotEqualTo(plain);
    }
  }

  @Test
  void scalesUpWhatStochasticDepthKeeps() {
    Batch batch = TinyModels.batch();
    try (Model model = model();
        Delta delta =
            spec("parallel leave_out=1 stochastic_depth=0.5 scaling=1", model)
                .attach(model, Rng.seeded(1));
        Delta twice = spec("parallel leave_out=1 scaling=2", model).attach(model, Rng.seeded(1))) {
      List.of(delta, twice).forEach(one -> TinyModels.move(one, 2));
      Pass pass = Pass.with(batch.layout(), delta.patches()).training(Rng.seeded(4));
      float[] training = TinyModels.numbers(model, batch, pass);
      float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
      float[] kept = numbers(twice, batch);
      int words = plain.length / batch.layout().tokens();
      int dropped = 0;
      for (int row = 0; row < batch.layout().rows(); row++) {
        int from = batch.layout().start(row) * words;
        int to = batch.layout().start(row + 1) * words;
        float[] seen = Arrays.copyOfRange(training, from, to);
        if (Arrays.equals(seen, Arrays.copyOfRange(plain, from, to))) {
          dropped++;
        } else {
          assertThat(seen)
              .containsExactly(
                  Arrays.copyOfRange(kept, from, to), org.assertj.core.data.Offset.offset(2e-5f));
        }
      }
      assertThat(dropped).isBetween(1, batch.layout().rows() - 1);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "houlsby rank=3 | found option rank for houlsby, expected some of",
        "houlsby phm_dim=2 | found option phm_dim",
        "houlsby preset=peft | expected adapterhub, opendelta, paper",
        "lowrank preset=adapterhub | expected opendelta, paper",
        "houlsby bottleneck_dim=0 | expected at least 1",
        "houlsby reduction_factor=-1 | expected more than 0",
        "houlsby reduction_factor=1:2 | a default",
        "houlsby non_linearity=maxout | found non-linearity \"maxout\"",
        "houlsby scaling=big | expected a number, learned or channel",
        "houlsby dropout=1 | less than 1",
        "houlsby init_weights=orthogonal | expected bert, mam_adapter, houlsby, opendelta, zero",
        "houlsby adapter_residual_before_ln=true | without ln_after=true",
        "houlsby original_ln_after=false | model's own addition is lost",
        "houlsby residual_before_ln=post_add | without original_ln_before=true",
        "houlsby mh_adapter=false output_adapter=false | at least one of them true",
        "houlsby leave_out=7 | expected 0 to 1",
        "houlsby leave_out=0,1 | every block",
        "houlsby inv_adapter=realnvp | expected nice, glow or none",
        "houlsby modified_modules=atn | each part of atn hits some; near it",
        "houlsby modified_modules=intermediate | to put an adapter behind",
        "houlsby modified_modules=[r]( | as a regular expression",
        "parallel original_ln_before=true | found option original_ln_before",
        "parallel ln_after=true adapter_residual_before_ln=true | expected false",
        "parallel modified_modules=attn@ | expected pairs",
        "parallel modified_modules=attn@,ff@ | expected one module for both",
        "parallel modified_modules=attn@,0.output | expected as many of both",
        "compacter phm_dim=3 | expected one that divides both",
        "compacter phm_dim=4 bottleneck_dim=6 | expected one that divides both",
        "compacter phm_rank=0 | factorized_phm_W=false is for full rank",
        "compacter phm_c_init=zeros | expected normal or uniform",
        "compacter shared_W_phm=true reduction_factor=0:2,default:4 | expected one size for all",
        "lowrank low_rank_rank=-1 | expected at least 1"
      })
  void saysWhatIsWrong(String settings, String message) {
    try (Model model = model()) {
      assertThatThrownBy(() -> spec(settings, model).attach(model, Rng.seeded(1)))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining(message);
    }
  }

  @Test
  void cannotBeMerged() {
    try (Model model = model();
        Delta delta = spec("houlsby", model).attach(model, Rng.seeded(1))) {
      assertThatThrownBy(delta::merge)
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining("cannot be merged");
    }
  }
}
