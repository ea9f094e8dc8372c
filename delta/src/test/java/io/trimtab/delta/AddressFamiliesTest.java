package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Address.Hit;
import io.trimtab.delta.Address.Kind;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What addresses hit on every family, against lists written by hand. */
class AddressFamiliesTest {
  private static final TinyFamilies MODELS = new TinyFamilies();

  @AfterAll
  static void close() {
    MODELS.close();
  }

  private static List<String> shown(List<Hit> hits) {
    return hits.stream().map(Hit::toString).toList();
  }

  private static List<String> expected(String text) {
    return text.isBlank()
        ? List.of()
        : Stream.of(text.split("\\s+")).flatMap(one -> TinyFamilies.expand(one).stream()).toList();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "bert ; query ; bert.encoder.layer.{0-2}.attention.self.query",
        "bert ; query,value ; bert.encoder.layer.{0-2}.attention.self.{query,value}",
        "bert ; self.query ; bert.encoder.layer.{0-2}.attention.self.query",
        "bert ; 1.output.dense ; bert.encoder.layer.1.output.dense",
        "bert ; output.dense ; bert.encoder.layer.{0-2}.{attention.output,output}.dense",
        "bert ; \"query\" ; bert.encoder.layer.{0-2}.attention.self.query",
        "bert ; word_embeddings ; bert.embeddings.word_embeddings",
        "bert ; embeddings.* ; bert.embeddings.{word,position,token_type}_embeddings",
        "bert ; encoder.layer.*.attention.self.q* ; bert.encoder.layer.{0-2}.attention.self.query",
        "bert ; layer.[x] ;",
        "bert ; quer? ; bert.encoder.layer.{0-2}.attention.self.query",
        "bert ; layer.1.** ; bert.encoder.layer.1.{attention.self.query,attention.self.key,"
            + "attention.self.value,attention.output.dense,intermediate.dense,output.dense}",
        "bert ; layer.*.dense ;",
        "bert ; layer.**.dense ;"
            + " bert.encoder.layer.{0-2}.{attention.output,intermediate,output}.dense",
        "bert ; **.key ; bert.encoder.layer.{0-2}.attention.self.key",
        "bert ; [r]layer\\.[12]\\..*query ; bert.encoder.layer.{1,2}.attention.self.query",
        "bert ; [r]quer ; ",
        "bert ; [r]uery ; ",
        "bert ; [r]q|query ; bert.encoder.layer.{0-2}.attention.self.query",
        "bert ; [r](query|key){1,2}, value layers=0 ;"
            + " bert.encoder.layer.0.attention.self.{query,key,value}",
        "bert ; [f]query ; ",
        "bert ; [f].*\\.query ; bert.encoder.layer.{0-2}.attention.self.query",
        "bert ; all-linear ; bert.encoder.layer.{0-2}.{attention.self.query,attention.self.key,"
            + "attention.self.value,attention.output.dense,intermediate.dense,output.dense}"
            + " cls.predictions.transform.dense",
        "bert ; all-linear layers=last:1 - dense ;"
            + " bert.encoder.layer.2.attention.self.{query,key,value}",
        "bert ; all-linear exclude=dense layers=last:1 ;"
            + " bert.encoder.layer.2.attention.self.{query,key,value}",
        "bert ; dense - output.dense, query ;"
            + " bert.encoder.layer.{0-2}.{intermediate.dense,attention.self.query}"
            + " cls.predictions.transform.dense",
        "bert ; dense - (output.dense, transform.dense) ;"
            + " bert.encoder.layer.{0-2}.intermediate.dense",
        "bert ; query layers=0,2 ; bert.encoder.layer.{0,2}.attention.self.query",
        "bert ; layers=1-2 query, key ; bert.encoder.layer.{1,2}.attention.self.{query,key}",
        "bert ; (query layers=0), key ; bert.encoder.layer.0.attention.self.query"
            + " bert.encoder.layer.{0-2}.attention.self.key",
        "bert ; query, layers=last:2 ; bert.encoder.layer.{1,2}.attention.self.query",
        "bert ; @attn.q ; bert.encoder.layer.{0-2}.attention.self.query",
        "bert ; attn@.q@,attn@.v@ ; bert.encoder.layer.{0-2}.attention.self.{query,value}",
        "bert ; @attn ;"
            + " bert.encoder.layer.{0-2}.attention.{self.query,self.key,self.value,output.dense}",
        "bert ; @attn - @attn.proj layers=0 ;"
            + " bert.encoder.layer.0.attention.self.{query,key,value}",
        "bert ; @ff.w2 ; bert.encoder.layer.{0-2}.output.dense",
        "bert ; @block.1.ff.* ; bert.encoder.layer.1.{intermediate,output}.dense",
        "bert ; @proj ; bert.encoder.layer.{0-2}.attention.output.dense cls.predictions.decoder",
        "bert ; @embeddings ; bert.embeddings.word_embeddings",
        "roberta ; @attn.q ; roberta.encoder.layer.{0-2}.attention.self.query",
        "roberta ; lm_head@.proj@ ; lm_head.decoder",
        "roberta-seqcls ; all-linear - encoder.** ; classifier.dense",
        "bert-seqcls ; pooler.dense, classifier ; bert.pooler.dense classifier",
        "electra ; @attn.q ; electra.encoder.layer.{0-2}.attention.self.query",
        "electra ; @lm_head ; generator_lm_head",
        "distilbert ; @attn.q, @attn.proj ;"
            + " distilbert.transformer.layer.{0-2}.attention.{q_lin,out_lin}",
        "distilbert ; @ff ; distilbert.transformer.layer.{0-2}.ffn.{lin1,lin2}",
        "albert ; @attn ;"
            + " albert.encoder.albert_layer_groups.0.albert_layers.0.attention.{query,key,value,dense}",
        "albert ; @ff.w1 ; albert.encoder.albert_layer_groups.0.albert_layers.0.ffn",
        "albert ; @ff.w2 layers=0 ;"
            + " albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output",
        "deberta-v2 ; @attn.k, @attn.v ;"
            + " deberta.encoder.layer.{0-2}.attention.self.{key,value}_proj",
        "modernbert ; @attn.q ; model.layers.{0-3}.attn.Wqkv[0:32]",
        "modernbert ; @attn.k ; model.layers.{0-3}.attn.Wqkv[32:64]",
        "modernbert ; @attn.v layers=last:1 ; model.layers.3.attn.Wqkv[64:96]",
        "modernbert ; @attn.q, @attn.k, @attn.v ; model.layers.{0-3}.attn.Wqkv",
        "modernbert ; Wqkv - @attn.k ; model.layers.{0-3}.attn.Wqkv{[0:32],[64:96]}",
        "modernbert ; Wqkv, @attn.k ; model.layers.{0-3}.attn.Wqkv",
        "modernbert ; @ff.w1 layers=0 ; model.layers.0.mlp.Wi[0:56]",
        "modernbert ; @ff - @ff.w1 ; model.layers.{0-3}.mlp.{Wi[56:112],Wo}",
        "modernbert ; all-linear - Wo - Wi ; model.layers.{0-3}.attn.Wqkv head.dense",
        "modernbert ; @lm_head.proj ; decoder",
      })
  void hits(String name, String address, String expected) {
    Model model = MODELS.get(name);
    String wanted = expected == null ? "" : expected;
    if (address.contains("[x]")) {
      assertThatThrownBy(() -> Address.parse(address)).isInstanceOf(AddressSyntaxException.class);
      return;
    }
    Address parsed = Address.parse(address);
    Address.Resolution resolution = parsed.dryRun(model);
    assertThat(shown(resolution.found())).containsExactlyInAnyOrderElementsOf(expected(wanted));
    assertThat(resolution.misses().isEmpty()).isEqualTo(!wanted.isEmpty());
    assertThat(Address.parse(parsed.toString())).isEqualTo(parsed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"albert", "bert", "deberta-v2", "distilbert", "electra", "modernbert", "roberta"})
  void theCommonStructureIsWholeOnEveryFamily(String name) {
    Model model = MODELS.get(name);
    List<String> parts =
        List.of("attn.q", "attn.k", "attn.v", "attn.proj", "ff.w1", "ff.w2", "embeddings");
    for (String part : parts) {
      assertThat(Address.parse("@" + part).find(model, Kind.PROJECTIONS)).as(part).isNotEmpty();
    }
    // The blocks' linear layers are exactly those that have common names.
    Address blocks = Address.parse("@attn,@ff");
    assertThat(blocks.resolve(model))
        .containsExactlyElementsOf(
            model.stack().blocks().stream()
                .flatMap(block -> block.walk())
                .filter(Linear.class::isInstance)
                .distinct()
                .toList());
    assertThat(shown(Address.parse("@layer_norm").find(model, Kind.NORMS)))
        .hasSize(
            (int)
                model.stack().blocks().stream()
                    .flatMap(
                        block -> block.walk().filter(one -> one.path().startsWith(block.path())))
                    .filter(layer -> AddressNodes.is(layer, Kind.NORMS))
                    .distinct()
                    .count());
  }

  @Test
  void kindsSayWhatCanBeHit() {
    Model model = MODELS.get("bert");
    assertThat(shown(Address.parse("LayerNorm layers=0").find(model, Kind.NORMS)))
        .containsExactlyElementsOf(
            TinyFamilies.expand("bert.encoder.layer.0.{attention.output,output}.LayerNorm"));
    assertThat(shown(Address.parse("layer.0.output, @attn layers=0").find(model, Kind.MODULES)))
        .containsExactly("bert.encoder.layer.0.attention", "bert.encoder.layer.0.output");
    assertThat(shown(Address.parse("layer.0.output.*").find(model, Kind.LAYERS)))
        .containsExactlyElementsOf(
            TinyFamilies.expand("bert.encoder.layer.0.output.{dense,LayerNorm}"));
    assertThatThrownBy(() -> Address.parse("LayerNorm").resolve(model))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("is a Norm, not a linear layer or embedding");
    assertThatThrownBy(() -> Address.parse("attention").resolve(model))
        .hasMessageContaining("only holds layers; write attention.** for these");
  }

  @ParameterizedTest(name = "{1} on {0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "bert|q_proj|query or @attn.q",
        "bert|self_attn.v_proj|value or @attn.v",
        "bert|o_proj|attention.output.dense or @attn.proj",
        "bert|down_proj|output.dense or @ff.w2",
        "bert|embed_tokens|word_embeddings or @embeddings",
        "distilbert|query|q_lin or @attn.q",
        "deberta-v2|key|key_proj or @attn.k",
        "albert|up_proj|ffn or @ff.w1",
        "modernbert|query|@attn.q",
        "modernbert|c_attn|Wqkv or @attn.q,@attn.k,@attn.v",
      })
  void anotherFamilysNameIsTranslated(String name, String typed, String here) {
    assertThatThrownBy(() -> Address.parse(typed).resolve(MODELS.get(name)))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("matches " + typed)
        .hasMessageContaining("this model calls it " + here);
  }

  @Test
  void aSliceIsRefusedWhereWholeLayersAreNeeded() {
    Model model = MODELS.get("modernbert");
    assertThatThrownBy(() -> Address.parse("@attn.q").resolve(model))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("outputs 0 to 31 of model.layers.0.attn.Wqkv")
        .hasMessageContaining("name the layer (Wqkv)");
    assertThat(Address.parse("@attn.q,@attn.k,@attn.v").resolve(model)).hasSize(4);
  }

  @Test
  void layersThatAreNotThereAreNamed() {
    Model model = MODELS.get("bert");
    for (String range : List.of("3", "1-3", "last:4", "0,7")) {
      assertThatThrownBy(() -> Address.parse("query layers=" + range).resolve(model))
          .isInstanceOf(DeltaException.NoMatch.class)
          .hasMessageContaining("layers=" + range.replace("0,", ""))
          .hasMessageContaining("the layers are 0-2");
    }
  }

  @Test
  void theReportFoldsBlocksAndNamesMisses() {
    String report = Address.parse("query,valeu layers=0,2").dryRun(MODELS.get("bert")).report();
    List<String> lines = new ArrayList<>(report.lines().map(String::strip).toList());
    assertThat(lines.getFirst())
        .isEqualTo("query,valeu layers=0,2 hits 2 places of bert with 2,112 numbers");
    assertThat(lines.get(1))
        .isEqualTo("bert.encoder.layer.{0,2}.attention.self.query  Linear [32, 32]  2 ×");
    assertThat(lines.get(2)).isEqualTo("misses");
    assertThat(lines.get(3))
        .startsWith("valeu: near it: bert.encoder.layer.*.attention.self.value");
    assertThat(Address.parse("@attn.v").dryRun(MODELS.get("modernbert")).report())
        .contains("model.layers.{0-3}.attn.Wqkv  Linear [96, 32] rows 64-95  4 ×", "4,096 numbers");
  }
}
