package io.trimtab.delta;

import io.trimtab.delta.Address.Kind;
import io.trimtab.delta.AddressTree.Common;
import io.trimtab.delta.AddressTree.Glob;
import io.trimtab.delta.AddressTree.Suffix;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What may have been meant by a part of an address that hits nothing. */
final class AddressHints {
  /** Names of the same part in different families, behind the common one. */
  private static final List<List<String>> SYNONYMS =
      List.of(
          List.of("attn.q", "query", "q_proj", "q_lin", "query_proj", "wq", "q"),
          List.of("attn.k", "key", "k_proj", "k_lin", "key_proj", "wk", "k"),
          List.of("attn.v", "value", "v_proj", "v_lin", "value_proj", "wv", "v"),
          List.of(
              "attn.q,@attn.k,@attn.v",
              "Wqkv",
              "c_attn",
              "query_key_value",
              "qkv_proj",
              "qkv",
              "in_proj",
              "attn.c_attn"),
          List.of(
              "attn.proj",
              "attention.output.dense",
              "out_lin",
              "attention.dense",
              "attn.Wo",
              "o_proj",
              "out_proj",
              "self_attn.out_proj",
              "attn.c_proj",
              "SelfAttention.o"),
          List.of(
              "ff.w1",
              "intermediate.dense",
              "lin1",
              "ffn",
              "mlp.Wi",
              "Wi",
              "fc1",
              "up_proj",
              "gate_proj",
              "gate_up_proj",
              "c_fc",
              "dense_h_to_4h",
              "wi",
              "wi_0",
              "wi_1",
              "w1",
              "w3"),
          List.of(
              "ff.w2",
              "output.dense",
              "lin2",
              "ffn_output",
              "mlp.Wo",
              "fc2",
              "down_proj",
              "mlp.c_proj",
              "dense_4h_to_h",
              "wo",
              "w2"),
          List.of(
              "embeddings", "word_embeddings", "tok_embeddings", "embed_tokens", "wte", "shared"),
          List.of(
              "layer_norm",
              "LayerNorm",
              "sa_layer_norm",
              "output_layer_norm",
              "attn_norm",
              "mlp_norm",
              "input_layernorm",
              "post_attention_layernorm",
              "ln_1",
              "ln_2"));

  private static final int NEAREST = 4;

  private final Model model;
  private final Kind kind;
  private final Collection<String> common;

  /** Hints for a model whose common names are given. */
  AddressHints(Model model, Kind kind, Collection<String> common) {
    this.model = model;
    this.kind = kind;
    this.common = common;
  }

  /** The error for a resolution with misses. */
  static DeltaException.NoMatch noMatch(Address.Resolution resolution) {
    String missed =
        resolution.missed().isEmpty()
            ? resolution.address().toString()
            : String.join(", ", resolution.misses());
    String hints =
        resolution.missed().isEmpty()
            ? "nothing is left of what it hits"
            : resolution.missed().stream()
                .map(
                    miss ->
                        (resolution.missed().size() > 1 ? miss.part() + ": " : "") + miss.hint())
                .collect(Collectors.joining("; "));
    return new DeltaException.NoMatch(
        "found no layer of "
            + resolution.model()
            + " that matches "
            + missed
            + ", expected that each part of "
            + resolution.address()
            + " hits some; "
            + hints);
  }

  /** What to say of a part that hits nothing. */
  String of(AddressTree part) {
    return switch (part) {
      case Common name -> nearCommon(name.pattern());
      case Suffix suffix -> nearName(suffix.name(), path -> Address.endsIn(path, suffix.name()));
      case Glob glob -> nearName(glob.pattern(), AddressRegex.glob(glob.pattern()));
      case AddressTree.Search search ->
          nearName(search.regex(), AddressRegex.search(search.regex()));
      case AddressTree.Full full -> nearName(full.regex(), AddressRegex.full(full.regex()));
      default -> "this model has none";
    };
  }

  private String nearName(String name, Predicate<String> test) {
    if (kind != Kind.MODULES) {
      for (AddressNodes.Node node : AddressNodes.of(model, Kind.MODULES)) {
        if (test.test(node.path())) {
          return ofAnotherKind(node, Address.endsIn(node.path(), name) ? name : node.path());
        }
      }
    }
    String other = otherFamily(name);
    return other.isEmpty() ? "near it: " + String.join(", ", nearest(paths(), name)) : other;
  }

  private String ofAnotherKind(AddressNodes.Node node, String name) {
    Layer layer = node.layer();
    return layer == null || layer.tensors().isEmpty()
        ? name + " only holds layers; write " + name + ".** for these"
        : node.path() + " is a " + layer.getClass().getSimpleName() + ", not " + wanted();
  }

  private String wanted() {
    return switch (kind) {
      case PROJECTIONS -> "a linear layer or embedding";
      case NORMS -> "a norm";
      case LAYERS, MODULES -> "a layer";
    };
  }

  /** What this model calls a part that goes by {@code name} in other families. */
  private String otherFamily(String name) {
    List<String> paths = paths().toList();
    for (List<String> group : SYNONYMS) {
      List<String> own = group.subList(1, group.size());
      if (own.stream().anyMatch(known -> Address.endsIn(name, known))) {
        String here =
            own.stream()
                .filter(known -> paths.stream().anyMatch(path -> Address.endsIn(path, known)))
                .collect(Collectors.joining(","));
        boolean shared =
            common.stream().anyMatch(known -> Address.endsIn(known, first(group.getFirst())));
        if (!here.isEmpty() || shared) {
          return "this model calls it "
              + Stream.of(here, shared ? "@" + group.getFirst() : "")
                  .filter(text -> !text.isEmpty())
                  .collect(Collectors.joining(" or "));
        }
      }
    }
    return "";
  }

  private static String first(String names) {
    int comma = names.indexOf(',');
    return comma < 0 ? names : names.substring(0, comma);
  }

  private String nearCommon(String pattern) {
    if (common.isEmpty()) {
      return "no common names are known for " + model.config().modelType();
    }
    Stream<String> names = common.stream().map(name -> name.replaceFirst("^.*\\.\\d+\\.", ""));
    return "near it: "
        + nearest(names, pattern).stream()
            .map(name -> "@" + name)
            .collect(Collectors.joining(", "));
  }

  private Stream<String> paths() {
    return AddressNodes.of(model, kind).stream().map(AddressNodes.Node::path);
  }

  /** The names whose ends are nearest by Levenshtein's distance; repeated blocks count once. */
  private static List<String> nearest(Stream<String> names, String wanted) {
    int parts = wanted.split("\\.", -1).length;
    return names
        .map(path -> path.replaceAll("\\.\\d+(?=\\.|$)", ".*"))
        .distinct()
        .sorted(Comparator.comparingInt(path -> distance(end(path, parts), wanted)))
        .limit(NEAREST)
        .toList();
  }

  private static String end(String path, int parts) {
    int from = path.length();
    for (int i = 0; i < parts && from >= 0; i++) {
      from = path.lastIndexOf('.', from - 1);
    }
    return path.substring(from + 1);
  }

  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int above = row[j];
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, Math.min(above, row[j - 1]) + 1);
        diagonal = above;
      }
    }
    return row[b.length()];
  }
}
