package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.compose.DeltaExpression;
import io.trimtab.delta.prefix.Prefix;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Presets give what their origins give, for every method that an origin has. */
class PresetsTest {
  private static final Set<String> ORIGINS = Set.of("adapterhub", "opendelta", "paper", "peft");

  private static final List<Model> MODEL = new ArrayList<>();

  @BeforeAll
  static void open(@TempDir Path directory) {
    MODEL.add(TinyModels.baseSized(directory));
  }

  @AfterAll
  static void close() {
    MODEL.removeFirst().close();
  }

  static List<DeltaMethod> methods() {
    return DeltaMethods.all().stream()
        .filter(method -> !method.presets().names().isEmpty())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("methods")
  void everyPresetAttaches(DeltaMethod method) {
    assertThat(ORIGINS).containsAll(method.presets().names());
    for (String preset : method.presets().names()) {
      Map<String, String> options = new LinkedHashMap<>(Map.of("preset", preset));
      if (method.name().equals("prompt")) {
        options.put("length", "4"); // the vocabulary is smaller than some prompts
      }
      try (Delta delta =
          method.fromOptions(options, MODEL.getFirst()).attach(MODEL.getFirst(), Rng.seeded(1))) {
        assertThat(delta.count()).as(method.name() + " " + preset).isPositive();
      }
    }
  }

  /** Of the classes of PEFT 0.21.2, adapters 1.3.0 and OpenDelta 0.3.2. */
  @ParameterizedTest
  @CsvSource({
    "lora:preset=opendelta, r=8 lora_alpha=16 lora_dropout=0.0",
    "lora:preset=peft, r=8 lora_alpha=8 use_rslora=false bias=none",
    "lora:preset=adapterhub, r=8 lora_alpha=8",
    "'lora:preset=opendelta,rank=4', r=4 lora_alpha=16",
    "adalora:preset=peft, target_r=8 init_r=12 lora_alpha=8 orth_reg_weight=0.5",
    "vera:preset=peft, r=256",
    "vera:preset=adapterhub, r=8",
    "oft:preset=peft, oft_block_size=32 num_cayley_neumann_terms=5",
    "'oft:preset=peft,cayley_neumann=false', use_cayley_neumann=false",
    "'oft:preset=peft,r=4', r=4 oft_block_size=0",
    "boft:preset=peft, boft_block_size=4",
    "'boft:preset=peft,blocks=4', boft_block_num=4 boft_block_size=0",
    "miss:preset=peft, r=64",
    "randlora:preset=peft, r=32 randlora_alpha=640",
    "c3a:preset=peft, block_size=256 init_weights=xavier_uniform",
    "fourierft:preset=peft, n_frequency=1000 scaling=150.0 random_loc_seed=777 init_weights=false",
    "shira:preset=peft, r=32 mask_type=random",
    "road:preset=peft, variant=road_1 group_size=64",
    "loha:preset=peft, r=8 alpha=8",
    "lokr:preset=peft, r=8 alpha=8 decompose_factor=-1",
    "prefix:preset=opendelta, num_virtual_tokens=6",
    "prefix:preset=adapterhub, num_virtual_tokens=30",
    "'prefix:preset=opendelta,projection=0', num_virtual_tokens=6 prefix_projection=false",
    "'prefix:preset=opendelta,length=2,start=\"3 4\"', num_virtual_tokens=2"
        + " prefix_projection=false",
    "'prompt:preset=adapterhub', num_virtual_tokens=10 trimtab_place=embedded",
    "houlsby:preset=opendelta, bottleneck_dim=24 non_linearity=gelu_new",
    "pfeiffer:preset=adapterhub, reduction_factor=16.0 non_linearity=relu",
    "parallel:preset=adapterhub, reduction_factor=2.0 scaling=4.0",
    "compacter:preset=opendelta, phm_dim=4 phm_rank=1 shared_phm_rule=false",
    "compacter:preset=opendelta, non_linearity=gelu_new reduction_factor=16.0",
    "lowrank:preset=opendelta, reduction_factor=32.0 low_rank_rank=1 non_linearity=gelu_new"
  })
  void givesWhatItsOriginGives(String typed, String fields) {
    Model model = MODEL.getFirst();
    Map<String, Object> config = DeltaExpression.parse(typed, model).toConfig(model);
    for (String field : fields.split(" ", -1)) {
      int equals = field.indexOf('=');
      assertThat(String.valueOf(config.get(field.substring(0, equals))))
          .as(field)
          .isEqualTo(field.substring(equals + 1));
    }
  }

  @Test
  void prefixOfOpenDeltaIsItsDefault() {
    assertThat(DeltaExpression.parse("prefix:preset=opendelta", MODEL.getFirst()))
        .isEqualTo(Prefix.of(6).projected(512).embedded(512).keepingPositions());
  }

  /** The first words of the vocabulary, as many as the prompt is long. */
  @Test
  void promptOfOpenDeltaStartsAsTheFirstWords(@TempDir Path directory) {
    try (Model model = TinyModels.maskedLm(directory);
        Delta delta =
            DeltaExpression.parse("prompt:preset=opendelta,length=3", model)
                .attach(model, Rng.seeded(1));
        Delta typed =
            DeltaExpression.parse("prompt:start=first,length=40", model)
                .attach(model, Rng.seeded(1))) {
      float[] words =
          Objects.requireNonNull(model.tensors().get("bert.embeddings.word_embeddings.weight"))
              .toFloats();
      assertThat(delta.parameters().getFirst().value().detach().toFloats())
          .isEqualTo(Arrays.copyOf(words, 3 * 16));
      assertThat(typed.parameters().getFirst().value().detach().toFloats()).isEqualTo(words);
      assertThatThrownBy(
              () ->
                  DeltaExpression.parse("prompt:preset=opendelta", model)
                      .attach(model, Rng.seeded(1)))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("found token number 40");
    }
  }

  /** A preset gives way to what is typed; of two that are typed none does. */
  @ParameterizedTest
  @CsvSource({
    "'oft:cayley_neumann=false,terms=5', found terms=5",
    "'oft:preset=peft,cayley_neumann=false,terms=5', found terms=5",
    "'oft:eps=1e-5', found eps=1e-5",
    "'oft:r=4,block_size=32', found block size 32 and 4 blocks",
    "'boft:preset=peft,blocks=4,block_size=4', found block size 4 and 4 blocks",
    "'prefix:embedding=8', found trained vectors of size 8",
    "'prefix:preset=opendelta,projection=0,embedding=8', found trained vectors of size 8",
    "'prefix:projection=8,length=2,start=\"3 4\"', found a text and a projection",
    "'prefix:shared_gating=false', found shared_gating=false",
    "'prefix:shared-gating=true', found shared_gating=true"
  })
  void whatDoesNothingOrContradictsIsRefused(String typed, String why) {
    assertThatThrownBy(() -> DeltaExpression.parse(typed, MODEL.getFirst()))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining(why);
  }

  @Test
  void anOriginThatLacksTheMethodIsRefusedByName() {
    Model model = MODEL.getFirst();
    for (String[] typed :
        new String[][] {
          {"houlsby:preset=peft", "found preset=peft for houlsby, expected adapterhub, opendelta"},
          {"adalora:preset=opendelta", "expected peft"},
          {"bitfit:preset=adapterhub", "expected opendelta, paper"},
          {"full:preset=peft", "expected none"}
        }) {
      assertThatThrownBy(() -> DeltaExpression.parse(typed[0], model))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining(typed[1]);
    }
  }

  /** OpenDelta's BitFit leaves embeddings and heads out. */
  @Test
  void bitFitOfOpenDeltaIsInTheBlocks() {
    Model model = MODEL.getFirst();
    try (Delta delta =
        DeltaExpression.parse("bitfit:preset=opendelta", model).attach(model, Rng.seeded(1))) {
      assertThat(delta.parameters())
          .isNotEmpty()
          .allMatch(each -> each.name().matches("bert\\.encoder\\.layer\\.\\d+\\..*bias"));
    }
  }

  /** Every method has a rate of its own, and is warned of one that is a hundred times off. */
  @Test
  void everyMethodHasARate() {
    for (DeltaMethod method : DeltaMethods.all()) {
      double usual = method.defaultRate();
      assertThat(usual).as(method.name()).isBetween(1e-6, 0.5);
      assertThat(RateAdvice.of(method, usual)).as(method.name()).isEmpty();
      assertThat(RateAdvice.of(method, usual * 101)).as(method.name()).isPresent();
      assertThat(RateAdvice.of(method, usual / 101)).as(method.name()).isPresent();
    }
  }
}
