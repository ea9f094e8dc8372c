package io.trimtab.delta.bottleneck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.Delta;
import io.trimtab.delta.TinyModels;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.ModelException;
import io.trimtab.tensor.Rng;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What AdapterHub and OpenDelta compute with adapters of their own, Trimtab computes too. */
class BottleneckParityTest {
  private static final double ALLOWED = 1e-5;

  @TestFactory
  Stream<DynamicTest> computesWhatAdapterHubComputes() {
    return tests("adapterhub", BottleneckParityTest::isBottleneckOfAdapterHub, this::adapterHub);
  }

  @TestFactory
  Stream<DynamicTest> computesWhatOpenDeltaComputes() {
    return tests("opendelta", BottleneckParityTest::isBottleneckOfOpenDelta, this::openDelta);
  }

  private interface Check {
    void of(RecordedCase recorded);
  }

  private static Stream<DynamicTest> tests(String kind, Predicate<Path> wanted, Check check) {
    List<Path> cases = TinyModels.fixtures(kind).stream().filter(wanted).toList();
    assumeTrue(!cases.isEmpty(), "no recorded adapters at -Dtrimtab.fixtures");
    return cases.stream()
        .map(
            path -> DynamicTest.dynamicTest(path.getFileName().toString(), () -> run(path, check)));
  }

  private static void run(Path path, Check check) {
    RecordedCase recorded;
    try {
      recorded = RecordedCase.open(path);
    } catch (ModelException.Unsupported e) {
      assumeTrue(false, "no such backbone yet: " + e.getMessage());
      return;
    }
    try (recorded) {
      check.of(recorded);
    }
  }

  private static boolean isBottleneckOfAdapterHub(Path path) {
    Path file = path.resolve("adapter_config.json");
    if (!Files.isRegularFile(file)) {
      return false;
    }
    ModelConfig config = ModelConfig.read(file).section("config");
    return !config.has("architecture") && config.has("mh_adapter");
  }

  private static boolean isBottleneckOfOpenDelta(Path path) {
    return Set.of("adapter", "parallel_adapter", "compacter", "low_rank_adapter")
        .contains(ModelConfig.read(path.resolve("config.json")).text("delta_type"));
  }

  private void adapterHub(RecordedCase recorded) {
    ModelConfig config = recorded.config("adapter_config.json").section("config");
    try (Delta delta = ofAdapterHub(config).attach(recorded.model(), Rng.seeded(1))) {
      String embeddings = recorded.model().stack().embeddings().path();
      String base = embeddings.substring(0, embeddings.lastIndexOf('.'));
      boolean phm = config.flag("phm_layer");
      recorded.fill(
          delta, "adapter.safetensors", new AdapterHubKeys(base, phm, config.flag("ln_before")));
      boolean gated = config.flag("use_gating");
      assertThat(recorded.error(delta, gated)).isLessThan(ALLOWED);
    }
  }

  static Bottleneck ofAdapterHub(ModelConfig config) {
    Placement.Flow flow =
        config.flag("is_parallel")
            ? new Placement.Flow.Parallel()
            : new Placement.Flow.Sequential(
                config.flag("original_ln_before"),
                config.flag("original_ln_after"),
                Placement.Around.named(textOrFlag(config, "residual_before_ln")));
    Placement placement =
        new Placement.Sublayers(
            config.flag("mh_adapter"),
            config.flag("output_adapter"),
            flow,
            config.integers("leave_out"));
    Maps maps =
        config.flag("phm_layer")
            ? new Maps.Phm(
                config.integer("phm_dim"),
                config.flag("factorized_phm_W") ? config.integer("phm_rank") : 0,
                config.flag("shared_phm_rule"),
                config.flag("factorized_phm_rule"),
                config.flag("learn_phm"),
                config.flag("shared_W_phm"),
                config.flag("phm_bias"),
                false,
                config.decimal("phm_init_range"),
                Maps.Draw.XAVIER_NORMAL)
            : new Maps.Dense();
    Inside inside =
        new Inside(
            new NonLinearity(config.text("non_linearity")),
            config.flag("ln_before"),
            config.flag("ln_after"),
            config.flag("adapter_residual_before_ln"),
            Scaling.parse(
                config.isNumber("scaling")
                    ? String.valueOf(config.decimal("scaling"))
                    : config.text("scaling")),
            config.flag("use_gating"),
            config.decimal("dropout"),
            config.decimal("stochastic_depth"));
    Bottleneck spec =
        Bottleneck.of(
            new HoulsbyMethod(),
            placement,
            config.isNumber("reduction_factor")
                ? Size.reduced(config.decimal("reduction_factor"))
                : byBlock(config.section("reduction_factor")),
            maps,
            inside,
            Start.named(config.text("init_weights")));
    return config.has("inv_adapter")
        ? spec.inverting(
            new Invertible(
                Invertible.kind(config.text("inv_adapter")),
                config.decimal("inv_adapter_reduction_factor"),
                // The heads of transformers' own classes know nothing of an inverse.
                false))
        : spec;
  }

  private static Size byBlock(ModelConfig factors) {
    Map<Integer, Double> byBlock = new HashMap<>();
    for (String block : factors.fields()) {
      if (!block.equals("default")) {
        byBlock.put(Integer.valueOf(block), factors.decimal(block));
      }
    }
    return new Size.Reduced(factors.decimal("default"), byBlock);
  }

  private static String textOrFlag(ModelConfig config, String field) {
    return config.isText(field) ? config.text(field) : String.valueOf(config.flag(field));
  }

  /**
   * AdapterHub's names.
   *
   * @param base the path of the model without its head
   * @param phm whether the maps are Compacter's
   * @param normed whether a norm takes the first place of the way down, under two names
   */
  private record AdapterHubKeys(String base, boolean phm, boolean normed)
      implements RecordedCase.Keys {
    @Override
    public List<String> of(String ours) {
      if (ours.startsWith("invertible.")) {
        return List.of(
            base
                + ".invertible_adapters.a."
                + ours.substring(11, 12).toUpperCase(Locale.ROOT)
                + ours.substring(12).replace(".down.", ".0.").replace(".up.", ".2."));
      }
      if (ours.startsWith("adapter.")) {
        String shared = ours.substring(ours.indexOf('.') + 1);
        String name =
            shared.startsWith("rule")
                ? "phm_" + shared.replace('.', '_')
                : "W_" + shared.replace(".whole", "").replace('.', '_');
        return List.of(base + ".shared_parameters.a." + name);
      }
      int at = ours.indexOf(".adapter.");
      String path = ours.substring(0, at);
      String parent = path.substring(0, path.lastIndexOf('.'));
      String tensor = tensor(ours.substring(at + 9));
      return Stream.of(
              path + ".adapters.a.",
              path + ".attention_adapters.adapters.a.",
              (path.endsWith("attention")
                      ? parent + ".attention_adapters"
                      : parent + ".output_adapters")
                  + ".adapters.a.")
          .map(prefix -> prefix + tensor)
          .toList();
    }

    private String tensor(String ours) {
      String name =
          ours.replace("down.", normed ? "adapter_down.1." : "adapter_down.0.")
              .replace("up.", "adapter_up.")
              .replace("norm_", "adapter_norm_");
      return phm && !ours.startsWith("norm") && !ours.startsWith("gate")
          ? name.replaceAll("(?<!rule)\\.(left|right)$", ".W_$1")
              .replaceAll("rule$", "phm_rule")
              .replaceAll("rule\\.(left|right)$", "phm_rule_$1")
              .replaceAll("\\.whole$", ".W")
              .replaceAll("\\.bias$", ".b")
          : name;
    }

    @Override
    public boolean isAlias(String key) {
      return normed && key.contains(".adapter_down.0.");
    }
  }

  private void openDelta(RecordedCase recorded) {
    ModelConfig config = recorded.config("config.json");
    String type = config.text("delta_type");
    Bottleneck spec = ofOpenDelta(config, type);
    String name = type.equals("compacter") ? "compactor" : type;
    boolean dense = type.endsWith("adapter") && !type.startsWith("low");
    try (Delta delta = spec.attach(recorded.model(), Rng.seeded(1))) {
      Map<String, String> modules = new HashMap<>();
      spec.places(recorded.model()).forEach(place -> modules.put(place.path(), place.from()));
      recorded.fill(
          delta, "delta.safetensors", ours -> List.of(openDeltaKey(ours, modules, name, dense)));
      assertThat(delta.count()).isEqualTo(recorded.trainable());
      assertThat(recorded.error(delta, false)).isLessThan(ALLOWED);
    }
  }

  private static Bottleneck ofOpenDelta(ModelConfig config, String type) {
    List<String> names = config.texts("modified_modules");
    List<String> exclude = config.texts("exclude_modules");
    Size size =
        config.has("bottleneck_dim")
            ? new Size.Width(config.integer("bottleneck_dim"))
            : Size.reduced(config.integer("reduction_factor"));
    Maps maps =
        switch (type) {
          case "compacter" ->
              new Maps.Phm(
                  config.integer("hypercomplex_division"),
                  config.integer("phm_rank"),
                  false,
                  false,
                  config.flag("learn_phm"),
                  false,
                  true,
                  false,
                  0.01,
                  Maps.Draw.GLOROT_UNIFORM);
          case "low_rank_adapter" ->
              new Maps.LowRank(config.integer("low_rank_rank"), Maps.Draw.GLOROT_UNIFORM);
          default -> new Maps.Dense();
        };
    return Bottleneck.of(
        new HoulsbyMethod(),
        type.equals("parallel_adapter")
            ? new Placement.Beside(names, exclude)
            : new Placement.Behind(names, exclude),
        size,
        maps,
        Inside.plain(config.text("non_linearity")),
        Start.OPENDELTA);
  }

  private static final Pattern OURS = Pattern.compile("(.*)\\.adapter\\.(down|up)\\.(\\w+)");

  private static String openDeltaKey(
      String ours, Map<String, String> modules, String name, boolean dense) {
    Matcher parts = OURS.matcher(ours);
    assertThat(parts.matches()).isTrue();
    String module = Objects.requireNonNull(modules.get(parts.group(1)));
    // Its name for a whole attention is that of the module around the one that we call so.
    String hooked =
        module.endsWith("attention.output")
            ? module.substring(0, module.length() - ".output".length())
            : module;
    if (dense) {
      return hooked + "." + name + ".modulelist." + parts.group(2) + "_proj." + parts.group(3);
    }
    String tensor =
        switch (parts.group(3)) {
          case "left" -> "W_left";
          case "right" -> "W_right";
          case "rule" -> "phm_rule";
          default -> "b";
        };
    return hooked + "." + name + "." + parts.group(2) + "_sampler." + tensor;
  }
}
