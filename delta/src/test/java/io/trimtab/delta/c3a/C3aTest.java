package io.trimtab.delta.c3a;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.MethodFixture;
import io.trimtab.delta.SizePattern;
import io.trimtab.delta.Targets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class C3aTest {
  @TempDir Path directory = Path.of("");
  private MethodFixture c3a;

  @BeforeEach
  void open() {
    c3a = MethodFixture.of("c3a", directory);
  }

  @AfterEach
  void close() {
    c3a.close();
  }

  @Test
  void hasOneNumberForEveryRowOfABlock() {
    try (Delta delta = c3a.attach(c3a.spec("targets=intermediate.dense"))) {
      // 16 inputs and 24 outputs share 8, which also divides 256.
      assertThat(delta.count()).isEqualTo(2 * 16 * 24 / 8);
      assertThat(delta.parameters().getFirst().value().shape()).containsExactly(3, 2, 8);
    }
  }

  @Test
  void layersMayHaveSizesOfTheirOwnTheFirstMatchCounts() {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    sizes.put("layer.1.attention.self.query", 8);
    sizes.put("self.(query|key)", 4);
    sizes.put("uery", 1); // matches no end after a dot
    Targets where = Targets.of(Address.suffixes(List.of("query", "value")));
    C3a spec = new C3a(16, new SizePattern(sizes), C3a.Start.ZERO, where);
    try (Delta delta = c3a.moved(spec)) {
      assertThat(delta.parameters())
          .extracting(p -> p.value().size(-1))
          .containsExactly(4L, 16L, 8L, 16L);
      try (Delta again = c3a.load(c3a.saved(delta, text -> text))) {
        assertThat(c3a.with(again)).isEqualTo(c3a.with(delta));
      }
    }
  }

  @Test
  void layersLeftOutAreLeftOutInFilesToo() {
    // PEFT's C3A has no exclude_modules, and would read over it.
    Address address =
        Address.suffixes(List.of("dense")).excluding(List.of("cls.predictions.transform.dense"));
    try (Delta delta = c3a.moved(C3a.blockSize(8).on(Targets.of(address)))) {
      Path folder =
          c3a.saved(
              delta,
              text -> {
                assertThat(text).doesNotContain("exclude_modules");
                return text;
              });
      try (Delta again = c3a.load(folder)) {
        assertThat(again.count()).isEqualTo(delta.count());
      }
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    c3a.refusesUnknown();
    c3a.refuses("block size 0", "block_size=0");
    c3a.refuses("block size 5", "block_size=5");
    c3a.refuses("start=ones", "start=ones");
    try (Delta delta = c3a.attach(c3a.spec())) {
      c3a.refusesFile(delta, "bias=all", text -> text.replace("none", "all"));
    }
  }
}
