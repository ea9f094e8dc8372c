package io.trimtab.delta.softprompt;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Embedding;
import io.trimtab.model.Embeddings;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Recurrent;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Settings of a soft prompt: {@code length} vectors [length, size of a word's vector] in front of
 * every row (Lester et al., 2021, section 2; Liu et al., 2021, section 3.2).
 *
 * @param length the number of vectors
 * @param network what makes the vectors while they are trained
 * @param inner the inner size of that network
 * @param layers the layers of an LSTM
 * @param start what the vectors start as
 * @param words token numbers to start as where {@code start} is {@code WORDS}; repeated where they
 *     are too few
 * @param stored whether the vectors are as files have them: what a network made, not the network;
 *     and for an encoder-decoder, where they go in front of what the encoder reads, as many again
 *     that PEFT keeps for a decoder and nothing reads
 * @param place where among what the vectors go
 * @param modulesToSave layers, such as a new classifier, that are trained as a whole
 * @param lenient whether names of modules that hit nothing are let pass, as in files of PEFT
 */
public record SoftPrompt(
    int length,
    Network network,
    int inner,
    int layers,
    Start start,
    List<Integer> words,
    boolean stored,
    Place place,
    List<String> modulesToSave,
    boolean lenient)
    implements DeltaSpec {
  private static final String TABLE = "prompt_embeddings";

  /** What makes the vectors. */
  public enum Network {
    /** Nothing: they are trained themselves. */
    NONE,
    /** Three dense layers. */
    MLP,
    /** An LSTM in both directions and two dense layers. */
    LSTM
  }

  /** Where the vectors go. */
  public enum Place {
    /** In front of the words' vectors: they get positions and are normed, as in PEFT. */
    WORDS,
    /** In front of what the embeddings give: they are taken as they are, as in AdapterHub. */
    EMBEDDED,
    /** The same behind the first token. */
    EMBEDDED_AFTER_FIRST
  }

  /** What the vectors start as. */
  public enum Start {
    /** Normally distributed numbers, as an embedding starts. */
    RANDOM,
    /** Numbers between -0.5 and 0.5, as AdapterHub starts, and OpenDelta where it is told to. */
    UNIFORM,
    /** The vectors of words drawn from the vocabulary. */
    VOCABULARY,
    /** The vectors of the vocabulary's first words, as OpenDelta starts. */
    FIRST,
    /** The vectors of given words. */
    WORDS
  }

  /** Checks ranges. */
  public SoftPrompt {
    if (length < 1) {
      throw new DeltaException("found a prompt of " + length + " vectors, expected at least 1");
    }
    if (network != Network.NONE && (inner < 1 || layers < 1)) {
      throw new DeltaException(
          "found a network of inner size "
              + inner
              + " and "
              + layers
              + " layers for a prompt, expected at least 1 of each");
    }
    if (network != Network.NONE && start != Start.RANDOM) {
      throw new DeltaException(
          "found a prompt made by a network that is to start as words, expected a random start:"
              + " what a network computes cannot start as given vectors");
    }
    if (network != Network.NONE && place != Place.WORDS) {
      throw new DeltaException(
          "found a prompt made by a network behind the embeddings, expected one in front of the"
              + " words' vectors");
    }
    if (start == Start.WORDS && words.isEmpty()) {
      throw new DeltaException(
          "found no words for a prompt to start as, expected at least one token");
    }
    words = List.copyOf(words);
    modulesToSave = List.copyOf(modulesToSave);
  }

  /** Vectors trained themselves that start as words drawn from the vocabulary. */
  public static SoftPrompt of(int length) {
    return new SoftPrompt(
        length,
        Network.NONE,
        0,
        0,
        Start.VOCABULARY,
        List.of(),
        false,
        Place.WORDS,
        List.of(),
        false);
  }

  /** The same from another start than given words. */
  public SoftPrompt startingAs(Start other) {
    return new SoftPrompt(
        length, network, inner, layers, other, words, stored, place, modulesToSave, lenient);
  }

  /** The same starting as these words, such as an instruction or the labels' words. */
  public SoftPrompt startingAs(List<Integer> ids) {
    return new SoftPrompt(
        length, network, inner, layers, Start.WORDS, ids, stored, place, modulesToSave, lenient);
  }

  /** The same made by a network, from a random start: P-tuning. */
  public SoftPrompt madeBy(Network kind, int innerSize, int lstmLayers) {
    return new SoftPrompt(
        length,
        kind,
        innerSize,
        lstmLayers,
        Start.RANDOM,
        List.of(),
        false,
        place,
        modulesToSave,
        lenient);
  }

  /** The same in another place. */
  public SoftPrompt in(Place other) {
    return new SoftPrompt(
        length, network, inner, layers, start, words, stored, other, modulesToSave, lenient);
  }

  /** The same with whole layers trained along. */
  public SoftPrompt saving(String... modules) {
    return new SoftPrompt(
        length, network, inner, layers, start, words, stored, place, List.of(modules), lenient);
  }

  @Override
  public DeltaMethod method() {
    return network == Network.NONE ? new SoftPromptMethod() : new PTuningMethod();
  }

  /** One of our own where PEFT has no such place. */
  @Override
  public String peftType() {
    return place == Place.WORDS ? method().peftType() : SoftPromptMethod.EMBEDDED;
  }

  @Override
  public String fileKey(String name) {
    return name.equals(TABLE) ? name : "base_model." + name;
  }

  /** Of what reads the text. */
  private static Embeddings embeddings(Model model) {
    return model.stacks().getFirst().embeddings();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    Embedding table = embeddings(model).words();
    List<Part> parts = new ArrayList<>();
    parts.add(new SoftPromptPart(site(model), table, place, length, source(table, model, rng)));
    parts.addAll(SavedModules.find(model, modulesToSave, lenient).parts());
    return parts;
  }

  private Site<Patch.Inserted> site(Model model) {
    Embeddings embeddings = embeddings(model);
    if (place == Place.WORDS) {
      return Site.inserted(embeddings.words().path());
    }
    boolean projected = embeddings.children().stream().anyMatch(Linear.class::isInstance);
    if (projected) {
      throw new DeltaException.Unsupported(
          "found a prompt behind the embeddings of "
              + model.name()
              + ", which are projected to another size there, expected one in front of the words'"
              + " vectors");
    }
    return Site.inserted(embeddings.path());
  }

  private PromptSource source(Embedding table, Model model, Rng rng) {
    int size = table.size();
    try (Scope _ = Scope.open()) {
      return switch (stored ? Network.NONE : network) {
        case NONE -> {
          Parameter vectors = Parameter.of(TABLE, start(table, model, rng));
          yield new PromptSource.Table(vectors, length);
        }
        case MLP ->
            new PromptSource.Mlp(
                embedding(size, model, rng), dense(rng, model, size, inner, inner, size));
        case LSTM ->
            new PromptSource.Lstm(
                embedding(size, model, rng),
                Recurrent.lstm("lstm_head.", size, inner, layers, rng, model.device()),
                dense(rng, model, 2 * inner, 2 * inner, size));
      };
    }
  }

  private Parameter embedding(int size, Model model, Rng rng) {
    return Parameter.of("embedding.weight", rng.normal(1, DType.F32, model.device(), length, size));
  }

  /** Dense layers of the given sizes, started as usual: uniform within ± 1 / √inputs. */
  private static List<PromptSource.Dense> dense(Rng rng, Model model, int... sizes) {
    return IntStream.range(1, sizes.length)
        .mapToObj(
            i -> {
              double bound = 1 / Math.sqrt((double) sizes[i - 1]);
              String name = "mlp_head." + 2 * (i - 1);
              return new PromptSource.Dense(
                  Parameter.of(
                      name + ".weight",
                      rng.uniform(
                          -bound, bound, DType.F32, model.device(), sizes[i], sizes[i - 1])),
                  Parameter.of(
                      name + ".bias",
                      rng.uniform(-bound, bound, DType.F32, model.device(), sizes[i])));
            })
        .toList();
  }

  private Tensor start(Embedding table, Model model, Rng rng) {
    if (start == Start.RANDOM) {
      return rng.normal(1, DType.F32, model.device(), rows(model), table.size());
    }
    if (start == Start.UNIFORM) {
      return rng.uniform(-0.5, 0.5, DType.F32, model.device(), length, table.size());
    }
    double[] drawn = rng.uniform(0, table.rows(), DType.F64, Device.CPU, length).toDoubles();
    long[] ids = new long[length];
    for (int i = 0; i < length; i++) {
      ids[i] =
          switch (start) {
            case FIRST -> i;
            case WORDS -> words.get(i % words.size());
            default -> (long) drawn[i];
          };
      if (ids[i] < 0 || ids[i] >= table.rows()) {
        throw new DeltaException(
            "found token number "
                + ids[i]
                + " for a prompt to start as, expected 0 to "
                + (table.rows() - 1));
      }
    }
    Tensor indices = Creation.longs(ids, length).to(model.device());
    return Indexing.rows(table.table(), indices).to(DType.F32);
  }

  /** How many vectors its own table has. */
  private int rows(Model model) {
    return stored ? length * model.stacks().size() : length;
  }

  private SoftPrompt done() {
    return new SoftPrompt(
        length,
        network,
        inner,
        layers,
        Start.RANDOM,
        List.of(),
        true,
        place,
        modulesToSave,
        lenient);
  }

  /** Without the network, which has done its work, and with what PEFT keeps for a decoder. */
  @Override
  public Delta toStore(Delta delta) {
    boolean asInFiles = network == Network.NONE && !delta.base().isEncoderDecoder();
    if (stored || asInFiles) {
      return delta;
    }
    PromptSource source =
        delta.parts().stream()
            .filter(SoftPromptPart.class::isInstance)
            .map(part -> ((SoftPromptPart) part).source())
            .findFirst()
            .orElseThrow();
    Delta flat = done().attach(delta.base(), Rng.seeded(0));
    try (Scope _ = Scope.open()) {
      Tensor once = Gradients.none(source::vectors);
      List<Tensor> each = Collections.nCopies(delta.base().stacks().size(), once);
      Tensor table = Indexing.concat(each, 0);
      Map<String, Parameter> trained = new LinkedHashMap<>();
      delta.parameters().forEach(parameter -> trained.put(parameter.name(), parameter));
      for (Parameter parameter : flat.parameters()) {
        Parameter same = trained.get(parameter.name());
        boolean vectors = parameter.name().equals(TABLE);
        parameter.assign(same == null || vectors ? table : same.value().detach());
      }
    }
    return flat;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("num_virtual_tokens", length);
    config.put("token_dim", embeddings(model).words().size());
    config.put("num_transformer_submodules", model.stacks().size());
    config.put(PeftFields.TASK, PeftFields.task(model, modulesToSave));
    config.put(
        "num_attention_heads",
        model
            .config()
            .integer(
                model
                    .config()
                    .firstOf(
                        "num_attention_heads",
                        "n_heads",
                        "n_head",
                        "num_heads",
                        "encoder_attention_heads")));
    config.put("num_layers", model.stacks().getFirst().blocks().size());
    if (place != Place.WORDS) {
      config.put("trimtab_place", place.name().toLowerCase(Locale.ROOT));
    }
    if (network == Network.NONE) {
      config.put("prompt_tuning_init", "RANDOM"); // what it was is of no use to who reads it
    } else {
      config.put("encoder_reparameterization_type", network.name());
      config.put("encoder_hidden_size", inner);
      config.put("encoder_num_layers", layers);
      config.put("encoder_dropout", 0.0);
    }
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    return config;
  }
}
