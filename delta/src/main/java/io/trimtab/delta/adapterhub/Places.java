package io.trimtab.delta.adapterhub;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Fields;
import io.trimtab.model.Block;
import io.trimtab.model.Model;
import io.trimtab.model.Place;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The linear layers that AdapterHub names by what they do: the matrices of attention, and the first
 * (intermediate) and second (output) layer of the feed-forward network.
 *
 * @param attention some of {@code q}, {@code k} and {@code v}
 * @param leftOut the numbers of the blocks without
 */
record Places(List<String> attention, boolean intermediate, boolean output, List<Integer> leftOut) {
  private static final List<String> MATRICES = List.of("q", "k", "v");

  static Places read(Fields fields) {
    boolean selfAttention = fields.flag("selfattn_lora", true);
    List<String> matrices = fields.texts("attn_matrices");
    for (String matrix : matrices) {
      if (selfAttention && !MATRICES.contains(matrix)) {
        throw new DeltaException.Unsupported(
            "found attn_matrices "
                + matrix
                + " in "
                + fields.config().path()
                + ", expected some of q, k and v");
      }
    }
    return new Places(
        selfAttention ? matrices : List.of(),
        fields.flag("intermediate_lora", false),
        fields.flag("output_lora", false),
        fields.integers("leave_out"));
  }

  void write(Map<String, Object> config) {
    config.put("selfattn_lora", !attention.isEmpty());
    config.put("attn_matrices", attention);
    config.put("intermediate_lora", intermediate);
    config.put("output_lora", output);
    config.put("leave_out", leftOut);
  }

  /** The paths of the layers in a model. */
  List<String> paths(Model model) {
    Set<String> paths = new LinkedHashSet<>();
    List<Block> blocks = model.stack().blocks();
    for (int number : with(blocks.size(), leftOut)) {
      roles(model).forEach(role -> paths.add(path(blocks.get(number), role, model)));
    }
    return List.copyOf(paths);
  }

  private List<String> roles(Model model) {
    List<String> roles = new ArrayList<>();
    attention.forEach(matrix -> roles.add("attn." + matrix));
    if (intermediate) {
      roles.add(intermediate(model));
    }
    if (output) {
      roles.add(output(model));
    }
    return roles;
  }

  /**
   * The layer that {@code intermediate_lora} is for. In a gated network this is what is multiplied
   * by the gate, in T5's too, but for two architectures that have the layers the other way round.
   */
  private static String intermediate(Model model) {
    if (!isGated(model)) {
      return "ff.w1";
    }
    return isSwapped(model) ? "ff.w2" : "ff.w3";
  }

  private static String output(Model model) {
    return isSwapped(model) ? "ff.w3" : "ff.w2";
  }

  private static boolean isGated(Model model) {
    return model.stack().blocks().getFirst().places().containsKey("ff.w3");
  }

  private static boolean isSwapped(Model model) {
    return Set.of("llama", "mistral").contains(model.config().modelType());
  }

  private static String path(Block block, String role, Model model) {
    Place place = block.places().get(role);
    if (place == null || place.outputs() != 0) {
      throw new DeltaException.Unsupported(
          "found "
              + role
              + " of AdapterHub's names, which is no layer of its own in "
              + model.name()
              + ", expected a model whose matrices of attention are apart");
    }
    return place.path();
  }

  /** The numbers of the blocks but for those left out. */
  static List<Integer> with(int count, List<Integer> leftOut) {
    return IntStream.range(0, count).filter(number -> !leftOut.contains(number)).boxed().toList();
  }

  /** The numbers of the blocks that are left out where {@code chosen} are not. */
  static List<Integer> without(int count, List<Integer> chosen) {
    return with(count, chosen);
  }

  /**
   * What AdapterHub calls the given layers of a model.
   *
   * @throws DeltaException.Unsupported where it has no name for them
   */
  static Places of(Set<String> paths, Model model) {
    Set<String> unnamed = new LinkedHashSet<>(paths);
    Map<Integer, Set<String>> roles = new LinkedHashMap<>();
    List<Integer> leftOut = new ArrayList<>();
    List<Block> blocks = model.stack().blocks();
    for (int number = 0; number < blocks.size(); number++) {
      Set<String> here = new LinkedHashSet<>();
      blocks
          .get(number)
          .places()
          .forEach(
              (role, place) -> {
                if (place.outputs() == 0 && paths.contains(place.path())) {
                  here.add(role);
                  unnamed.remove(place.path());
                }
              });
      if (here.isEmpty()) {
        leftOut.add(number);
      } else {
        roles.put(number, here);
      }
    }
    Set<Set<String>> kinds = new LinkedHashSet<>(roles.values());
    Set<String> common = kinds.isEmpty() ? Set.of() : kinds.iterator().next();
    List<String> attention =
        MATRICES.stream().filter(matrix -> common.contains("attn." + matrix)).toList();
    Places places =
        new Places(
            attention,
            common.contains(intermediate(model)),
            common.contains(output(model)),
            leftOut);
    if (!unnamed.isEmpty() || kinds.size() != 1 || places.roles(model).size() != common.size()) {
      throw Translation.noField(
          "layers other than queries, keys, values and feed-forward layers, alike in all blocks"
              + " that have any, ");
    }
    return places;
  }
}
